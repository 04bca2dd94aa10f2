"""CIFAR-100, ResNet-18 with a small-image stem (the MaxSup paper's Table 4).

Command: ``maxsup compare path/to/cifar100 --recipe cifar100-resnet18 --seeds 3``

Accuracy printed in the paper: baseline 76.16 ± 0.18, label smoothing 77.05 ± 0.17,
Zipf label smoothing 76.21 ± 0.12, online label smoothing 77.33 ± 0.15, MaxSup 77.82 ± 0.15,
logit penalty 76.41 ± 0.15.

200 epochs of SGD with Nesterov momentum, learning rate 0.1 times 0.2 at epochs 60, 120 and 160,
random crops after padding by 4, flips. The public code that this setting is usually taken from
also warms up for one epoch (``--warmup-epochs 1``), rotates by up to 15 degrees, and reports its
best epoch on the test set; here the last epoch is reported. timm starts each residual branch at
zero; here it starts as in torchvision's ResNets, which that code resembles.
"""

from maxsup.recipes._recipe import Recipe

RECIPE = Recipe(
    name="cifar100-resnet18",
    model="resnet18",
    small_stem=True,
    zero_init=False,
    image_size=32,
    label_column="fine_label",
    epochs=200,
    batch_size=128,
    lr=0.1,
    nesterov=True,
    weight_decay=5e-4,
    lr_schedule="step",
    milestones=(60, 120, 160),
    gamma=0.2,
    crop_padding=4,
    flip=True,
)
