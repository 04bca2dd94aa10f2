"""CUB-200-2011, fine-tuning a ResNet-50 (a later version of the MaxSup paper).

Command: ``maxsup compare path/to/cub --recipe cub-resnet50 --seeds 3``

Accuracy printed in the paper: baseline 80.88, label smoothing 81.96, online label smoothing
82.33, Zipf label smoothing 81.40, MaxSup 82.53.

The paper does not say how these models were trained, so expect other figures: this is a common way
to fine-tune on birds, 100 epochs of SGD from ImageNet weights with crops of 448 pixels, and not
a reproduction. The weights are torchvision's first, trained with plain cross-entropy, which timm
downloads at the first start (its own newer ones were trained with softened targets, which would
blur the comparison); to start from a model that was pre-trained here, name its file:
``--model resnet50 --weights runs/imagenet/maxsup/seed-0/model.safetensors`` (and ``--blur-pool`` if
it was trained with that).
"""

from maxsup.recipes._recipe import Recipe

RECIPE = Recipe(
    name="cub-resnet50",
    model="resnet50.tv_in1k",
    weights="timm",
    image_size=448,
    random_resized_crop=True,
    crop_scale=(0.35, 1.0),
    interpolation="bicubic",
    eval_size=448,
    eval_crop=448 / 512,
    epochs=100,
    batch_size=64,
    lr=0.01,
    nesterov=True,
    weight_decay=1e-4,
    lr_schedule="cosine",
    warmup_epochs=1.0,
    flip=True,
    precision="bf16",
    channels_last=True,
)
