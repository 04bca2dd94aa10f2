"""CIFAR-100, ResNet-101 with a small-image stem (the MaxSup paper's Table 4).

Command: ``maxsup compare path/to/cifar100 --recipe cifar100-resnet101 --seeds 3``

Accuracy printed in the paper: baseline 79.11 ± 0.21, label smoothing 79.19 ± 0.25,
Zipf label smoothing 79.15 ± 0.18, online label smoothing 79.25 ± 0.15, MaxSup 79.41 ± 0.19,
logit penalty 78.89 ± 0.21.

200 epochs of SGD with Nesterov momentum, learning rate 0.1 times 0.2 at epochs 60, 120 and 160,
random crops after padding by 4, flips. The public code that this setting is usually taken from
also warms up for one epoch (``--warmup-epochs 1``), rotates by up to 15 degrees, and reports its
best epoch on the test set; here the last epoch is reported. timm starts each residual branch at
zero; here it starts as in torchvision's ResNets, which that code resembles.
"""

from maxsup.recipes._recipe import Recipe

RECIPE = Recipe(
    name="cifar100-resnet101",
    model="resnet101",
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
