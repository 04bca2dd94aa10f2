"""CIFAR-100, MobileNetV2 with a small-image stem (the MaxSup paper's Table 4).

Command: ``maxsup compare path/to/cifar100 --recipe cifar100-mobilenetv2 --seeds 3``

Accuracy printed in the paper: baseline 68.06 ± 0.06, label smoothing 69.65 ± 0.08,
Zipf label smoothing 69.39 ± 0.08, online label smoothing 68.91 ± 0.11, MaxSup 69.88 ± 0.07,
logit penalty 69.46 ± 0.08.

200 epochs of SGD with Nesterov momentum, learning rate 0.1 times 0.2 at epochs 60, 120 and 160,
random crops after padding by 4, flips. The public code that this setting is usually taken from
also warms up for one epoch (``--warmup-epochs 1``), rotates by up to 15 degrees, and reports its
best epoch on the test set; here the last epoch is reported. Only the first convolution's stride is
taken away: the four later ones leave a last feature map of 2×2 positions.
"""

from maxsup.recipes._recipe import Recipe

RECIPE = Recipe(
    name="cifar100-mobilenetv2",
    model="mobilenetv2_100",
    small_stem=True,
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
