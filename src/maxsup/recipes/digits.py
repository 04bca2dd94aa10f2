"""The embedded data: 1,797 grey 8×8 digits, offline, in seconds.

Command: ``maxsup compare digits --label-noise 0.4 --methods baseline label-smoothing maxsup``

A small convolutional network of our own, for a first look at how the methods differ; no paper
prints an accuracy for it. One training takes about two seconds on two CPU cores.
"""

from maxsup.recipes._recipe import Recipe

RECIPE = Recipe(
    name="digits",
    model="small-convnet",
    epochs=15,
    batch_size=64,
    lr=0.1,
    nesterov=True,
    weight_decay=5e-4,
    lr_schedule="cosine",
    warmup_epochs=2,
    crop_padding=1,
)
