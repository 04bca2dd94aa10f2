"""ADE20K, UperNet on DeiT-Small: does it carry over to segmentation (the MaxSup paper's Table 6).

Command: ``maxsup train ade20k-upernet-deit-small --data path/to/ADEChallengeData2016 --method
baseline --backbone runs/imagenet/maxsup/seed-0`` for one backbone, and ``maxsup compare
path/to/ADEChallengeData2016 --recipe ade20k-upernet-deit-small --backbones runs/imagenet`` for all
methods and seeds of a study.

The paper's mean IoU, at several scales, printed without a spread: baseline 42.1, label smoothing
42.4, MaxSup 42.8. The setting is the public one that it follows: 160,000 iterations of 16 crops,
AdamW with a warm-up of 1,500 iterations and a linear fall to 0, no weight decay on position
embeddings, class token, biases and normalisation. Fine-tuning is by plain cross-entropy, here the
mean over the pixels that have a class; mmsegmentation divides by the void ones as well. Not yet run
here at this length.
"""

from maxsup.recipes._recipe import Recipe

RECIPE = Recipe(
    name="ade20k-upernet-deit-small",
    model="deit_small_patch16_224",
    head="upernet",
    drop_path=0.1,
    crop_size=(512, 512),
    scale_range=(0.5, 2.0),
    base_size=(2048, 512),
    photometric_distortion=True,
    cat_max_ratio=0.75,
    eval_scales=(0.5, 0.75, 1.0, 1.25, 1.5, 1.75),
    iterations=160_000,
    epochs=10,
    batch_size=16,
    optimizer="adamw",
    lr=6e-5,
    weight_decay=0.01,
    decay_norm_and_bias=False,
    lr_schedule="polynomial",
    warmup_epochs=1_500 / 16_000,
    flip=True,
)
