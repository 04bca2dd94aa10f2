"""Masks of your own: UperNet on a trained backbone.

Command: ``maxsup train finetune-segmentation --data path/to/folder --method baseline`` with the
weights that timm publishes; ``--backbone runs/photographs/maxsup/seed-0`` with those of a run, or a
file, and ``maxsup compare path/to/folder --backbones runs/photographs`` compares all methods and
seeds of a study. Crops are as large as most images are, at most 512 pixels each way; ``--crop-size
256 256`` is quicker. Masks where one class is rare are learnt better with ``--balance-classes``.
"""

from maxsup.recipes._recipe import Recipe

RECIPE = Recipe(
    name="finetune-segmentation",
    model="resnet50.a1_in1k",
    weights="timm",
    head="upernet",
    head_channels=256,
    photometric_distortion=True,
    iterations=4_000,
    epochs=10,
    batch_size=8,
    optimizer="adamw",
    lr=1e-4,
    weight_decay=0.01,
    decay_norm_and_bias=False,
    lr_schedule="polynomial",
    warmup_epochs=0.5,
    flip=True,
)
