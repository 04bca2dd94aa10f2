"""ImageNet-1K, MobileNetV2 (the MaxSup paper's Table 4).

Command: ``maxsup compare path/to/imagenet --recipe imagenet-mobilenetv2 --seeds 3``

Accuracy printed in the paper: baseline 71.40 ± 0.12, label smoothing 71.61 ± 0.09, Zipf label
smoothing 71.16 ± 0.15, online label smoothing 71.63 ± 0.11, MaxSup 72.08 ± 0.17, logit penalty
71.13 ± 0.10.

200 epochs of SGD, batches of 2048, learning rate 0.85 falling as a cosine, no weight decay on
batch-norm and biases; the rest as in FFCV's ImageNet scripts, to which the paper refers: random
resized crops, flips, BlurPool, and the central 224/256 of a photograph, at 256 pixels, to measure.
The configuration that the authors published is another one: 90 epochs, four times 512 images,
learning rate 0.8, divided by ten every 30 epochs. The learning rate is that of the recipe's batch:
``--batch-size`` changes both.
"""

from maxsup.recipes._recipe import Recipe

RECIPE = Recipe(
    name="imagenet-mobilenetv2",
    model="mobilenetv2_100",
    blur_pool=True,
    sync_batchnorm=True,
    image_size=224,
    random_resized_crop=True,
    eval_size=256,
    eval_crop=224 / 256,
    epochs=200,
    batch_size=2048,
    lr=0.85,
    weight_decay=1e-4,
    decay_norm_and_bias=False,
    lr_schedule="cosine",
    flip=True,
    precision="bf16",
    channels_last=True,
    deterministic=False,
    checkpoint_steps=500,
)
