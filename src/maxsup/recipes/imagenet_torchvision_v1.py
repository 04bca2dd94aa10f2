"""ImageNet-1K, ResNet-50 as torchvision trained its first weights (the MaxSup paper's Table 7).

Command: ``maxsup compare path/to/imagenet --recipe imagenet-torchvision-v1 --seeds 3``

For another model of the table add ``--model resnet18``, ``resnet101`` or ``mobilenetv2_100``.

Accuracy printed in the paper, for ResNet-18, ResNet-50, ResNet-101 and MobileNetV2:

- baseline: 69.11 ± 0.12, 76.44 ± 0.10, 76.00 ± 0.18, 71.42 ± 0.12
- label smoothing: 69.38 ± 0.19, 76.65 ± 0.11, 77.01 ± 0.15, 71.40 ± 0.09
- Zipf label smoothing: 69.43 ± 0.13, 76.89 ± 0.17, 76.91 ± 0.14, 71.24 ± 0.16
- online label smoothing: 69.45 ± 0.15, 76.81 ± 0.21, 77.12 ± 0.17, 71.29 ± 0.11
- MaxSup: 69.59 ± 0.13, 77.08 ± 0.07, 77.33 ± 0.12, 71.59 ± 0.17
- logit penalty: 66.97 ± 0.11, 74.21 ± 0.16, 75.17 ± 0.12, 70.39 ± 0.14

The standard deviations of three methods there repeat those of Table 4 to the digit, under another
recipe; do not lean on them.

90 epochs of SGD, batches of 512, learning rate 0.1, divided by ten every 30 epochs. Residual
branches do not start at zero, as in torchvision.
"""

from maxsup.recipes._recipe import Recipe

RECIPE = Recipe(
    name="imagenet-torchvision-v1",
    model="resnet50",
    zero_init=False,
    image_size=224,
    random_resized_crop=True,
    eval_size=224,
    eval_crop=224 / 256,
    epochs=90,
    batch_size=512,
    lr=0.1,
    weight_decay=1e-4,
    lr_schedule="step",
    milestones=(30, 60),
    gamma=0.1,
    flip=True,
    channels_last=True,
    deterministic=False,
    checkpoint_steps=1000,
)
