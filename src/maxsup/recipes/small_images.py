"""Small images of your own, from scratch: a ResNet-18 with a small-image stem, 30 epochs.

Command: ``maxsup compare path/to/images``, where the longer side of the images is at most 96
pixels (the median of 64 images that are looked at).

SGD with Nesterov momentum and a cosine, random crops after padding by an eighth of the side, and
flips. Letters, digits and whatever else has a left and a right must not be mirrored: grey images
are not, and ``--no-flip`` says it of others. Images of several sizes are brought to the square of
their median shorter side; ``--image-size`` names another.

The rule, the same for every method, by about how many images there are to train on (n):

- batch size: the largest power of two that gives at least 50 steps in an epoch, from 16 to 128;
  the learning rate is 0.1 for 128 and in proportion to it;
- epochs: 30, and more where these are fewer than 1,000 steps, up to 100.

So CIFAR-100 (50,000 images) has batches of 128 and 30 epochs, 2,000 images have batches of 32 and
30 epochs, and 400 have batches of 16 and 40 epochs. There is no validation part unless you ask for
one (``--validation 0.1``). No accuracy is printed for your data: what there is to compare with is
the table that this makes. ``--model`` takes any model of timm.
"""

from maxsup.recipes._fitted import Rule
from maxsup.recipes._recipe import Recipe

RECIPE = Recipe(
    name="small-images",
    model="resnet18",
    small_stem=True,
    zero_init=False,
    epochs=30,
    batch_size=128,
    lr=0.1,
    nesterov=True,
    weight_decay=5e-4,
    lr_schedule="cosine",
    warmup_epochs=1,
    crop_padding=4,
    flip=True,
)

RULE = Rule(batch_sizes=(16, 128), least_steps_per_epoch=50, epochs=(30, 100), least_steps=1_000)
