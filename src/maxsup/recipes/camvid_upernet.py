"""CamVid, UperNet on a small backbone: a quarter of an hour where ADE20K takes days.

Command: ``maxsup compare path/to/camvid --recipe camvid-upernet --backbones runs/cifar100-coarse``,
and ``--head linear --freeze-backbone`` to ask the features alone.
"""

from maxsup.recipes._recipe import Recipe

RECIPE = Recipe(
    name="camvid-upernet",
    model="resnet18",
    head="upernet",
    head_channels=64,
    crop_size=(120, 160),
    scale_range=(0.5, 1.5),
    photometric_distortion=True,
    cat_max_ratio=0.75,
    eval_scales=(0.75, 1.0, 1.25),
    iterations=400,
    epochs=4,
    batch_size=8,
    optimizer="adamw",
    lr=1e-3,
    weight_decay=0.01,
    decay_norm_and_bias=False,
    lr_schedule="polynomial",
    warmup_epochs=0.5,
    flip=True,
)
