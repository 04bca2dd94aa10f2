"""ImageNet-1K, ResNet-18 in 88 epochs of growing resolution, after FFCV's own script.

Command: ``maxsup compare path/to/imagenet --recipe imagenet-ffcv-resnet18 --seeds 3``

The MaxSup paper builds on FFCV's scripts and prints no accuracy for this one.

Batches of 1024, the learning rate rises to 0.5 in two epochs and falls linearly to zero. Images of
160 pixels until epoch 65, growing to 192 at epoch 76; measured at 256 pixels, as the mean over
each photograph and its mirror image. For its ResNet-50 add
``--model resnet50 --batch-size 4096 --lr 1.7 --weight-decay 1e-4``.
FFCV's script smooths labels by 0.1 unless told otherwise; here that is the method's part:
``--methods label-smoothing``.
"""

from maxsup.recipes._recipe import Recipe

RECIPE = Recipe(
    name="imagenet-ffcv-resnet18",
    model="resnet18",
    zero_init=False,
    blur_pool=True,
    sync_batchnorm=True,
    image_size=192,
    random_resized_crop=True,
    start_image_size=160,
    resolution_epochs=(65, 76),
    eval_size=256,
    eval_crop=224 / 256,
    epochs=88,
    batch_size=1024,
    lr=0.5,
    weight_decay=5e-5,
    decay_norm_and_bias=False,
    lr_schedule="one-cycle",
    warmup_epochs=2.0,
    flip=True,
    evaluate_flip=True,
    precision="bf16",
    channels_last=True,
    deterministic=False,
    checkpoint_steps=200,
)
