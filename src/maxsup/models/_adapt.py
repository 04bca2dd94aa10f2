"""Changes to timm's models: a stem for small images, blur before strides."""

import re

import timm
from timm.layers import BlurPool2d
from torch import nn


def has_small_stem(name: str) -> bool:
    """Whether a model has a stem for small images here, as far as its name tells.

    >>> [has_small_stem(name) for name in ("resnet50.a1_in1k", "resnet50d", "mobilenetv2_100")]
    [True, False, True]
    """
    architecture = name.partition(".")[0]
    return bool(re.fullmatch(r"resnet\d+|mobilenetv2.*", architecture))


def make_stem_small(name: str, model: nn.Module, in_channels: int) -> None:
    if isinstance(model, timm.models.ResNet) and isinstance(model.conv1, nn.Conv2d):
        model.conv1 = _small_convolution(in_channels, model.conv1.out_channels)
        model.maxpool = nn.Identity()
    elif name.startswith("mobilenetv2"):
        stem = model.get_submodule("conv_stem")
        assert isinstance(stem, nn.Conv2d)
        model.conv_stem = _small_convolution(in_channels, stem.out_channels)
    else:
        raise ValueError(
            f"{name} has no stem for small images here; timm's ResNets (with one convolution as "
            "their stem) and MobileNetV2 have."
        )


def _small_convolution(in_channels: int, out_channels: int) -> nn.Conv2d:
    convolution = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    return convolution


_LEAST_CHANNELS_TO_BLUR = 16


def blur_before_strides(name: str, model: nn.Module) -> None:
    strided = [
        (name_of_part, module)
        for name_of_part, module in model.named_modules()
        if isinstance(module, nn.Conv2d)
        and max(module.stride) > 1
        and module.in_channels >= _LEAST_CHANNELS_TO_BLUR
    ]
    if not strided:
        raise ValueError(
            f"{name} has no strided convolution of at least {_LEAST_CHANNELS_TO_BLUR} input "
            "channels to blur before; leave blur_pool off."
        )
    for name_of_part, convolution in strided:
        # Black around the image, as the convolutions themselves have it; timm's default reflects.
        blur = BlurPool2d(convolution.in_channels, filt_size=3, stride=1, pad_mode="constant")
        model.set_submodule(name_of_part, nn.Sequential(blur, convolution))


_SMALL_START = 0.01


def start_last_layer_small(model: nn.Module) -> None:
    """Start a new last layer behind weights that are trained near zero, so that it tells nothing.

    timm's own start can give wide logits, a loss of three for two classes with EfficientNets, and
    the first steps then change what was trained more than what is new. Not at zero itself, where
    the direction of the logits, which some objectives look at, would not exist.
    """
    for module in model.get_classifier().modules():  # type: ignore[operator]
        if isinstance(module, nn.Linear | nn.Conv2d):
            nn.init.normal_(module.weight, std=_SMALL_START)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
