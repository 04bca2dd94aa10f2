"""CIFAR-10 with a long tail, ResNet-32 (a later version of the MaxSup paper).

Command: ``maxsup compare path/to/cifar10 --imbalance 100 --recipe cifar10-lt-resnet32 --seeds 3``

The largest class has 100 times as many training images as the smallest; ``--imbalance 50`` is the
paper's other setting. The test set stays balanced.

Accuracy printed in the paper, as the validation and the test set's, for an imbalance of 50: focal
77.4 and 76.8, label smoothing 81.2 and 80.5, MaxSup 82.1 and 81.4; of 100: focal 75.1 and 74.7,
label smoothing 76.6 and 76.4, MaxSup 77.1 and 76.4. Both sets hold the same images in the authors'
code, which also never advances MaxSup's schedule, so that its coefficient stays at 0.1 there.

The training is the usual one for this data (Cao et al. 2019): 200 epochs of SGD with five of
warm-up, the learning rate divided by a hundred at epochs 160 and 180.
"""

from maxsup.recipes._recipe import Recipe

RECIPE = Recipe(
    name="cifar10-lt-resnet32",
    model="cifar-resnet32",
    image_size=32,
    epochs=200,
    batch_size=128,
    lr=0.1,
    weight_decay=2e-4,
    lr_schedule="step",
    milestones=(160, 180),
    gamma=0.01,
    warmup_epochs=5.0,
    crop_padding=4,
    flip=True,
)
