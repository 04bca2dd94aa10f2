"""ImageNet-1K, DeiT-Small from scratch (the MaxSup paper's Tables 1, 5 and 8).

Command: ``maxsup compare path/to/imagenet --recipe imagenet-deit-small --seeds 3``

Accuracy printed in the paper's Table 5: baseline 74.39 ± 0.19, label smoothing 76.08 ± 0.16, Zipf
label smoothing 75.89 ± 0.26, online label smoothing 76.16 ± 0.18, MaxSup 76.49 ± 0.12.

300 epochs of AdamW after DeiT's recipe, without distillation and, as the paper says, without Mixup
and CutMix: batches of 1024, learning rate 1e-3, RandAugment, erasing, stochastic depth, repeated
augmentation. The averaged weights are kept and the raw ones measured. Two things differ in the
authors' published script: it leaves Mixup 0.8 and CutMix 1.0 on, which ``--mixup 0.8 --cutmix
1.0`` does here, and its image cache turns repeated augmentation off, which ``--repeats 1`` does.
"""

from maxsup.recipes._recipe import Recipe

RECIPE = Recipe(
    name="imagenet-deit-small",
    model="deit_small_patch16_224",
    drop_path=0.1,
    image_size=224,
    random_resized_crop=True,
    interpolation="bicubic",
    eval_size=224,
    eval_crop=224 / 256,
    epochs=300,
    batch_size=1024,
    optimizer="adamw",
    lr=1e-3,
    weight_decay=0.05,
    decay_norm_and_bias=False,
    lr_schedule="cosine",
    warmup_epochs=5.0,
    warmup_lr=1e-6,
    final_lr=1e-5,
    flip=True,
    rand_augment="rand-m9-mstd0.5-inc1",
    erasing=0.25,
    repeats=3,
    ema_decay=0.99996,
    precision="bf16",
    deterministic=False,
    checkpoint_steps=500,
)
