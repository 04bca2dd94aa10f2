"""timm's models by name, a stem for small images, and the features before the last layer."""

import difflib

import timm
from timm.layers import BlurPool2d
from torch import Tensor, nn

__all__ = ["SmallConvNet", "class_templates", "create_model", "features_and_logits"]

SMALL_CONVNET = "small-convnet"


class SmallConvNet(nn.Module):
    """Three 3×3 convolutions for images of some 8×8 pixels; 17,000 parameters for one channel.

    Args:
        num_classes: K.
        in_channels: Channels of the images.
        width: Channels of the first convolution.

    Example:
        >>> import torch
        >>> SmallConvNet(num_classes=10, in_channels=1)(torch.zeros(2, 1, 8, 8)).shape
        torch.Size([2, 10])
    """

    def __init__(self, num_classes: int, in_channels: int = 3, width: int = 16) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _block(in_channels, width),
            _block(width, 2 * width),
            nn.MaxPool2d(2, ceil_mode=True),
            _block(2 * width, 2 * width),
            nn.MaxPool2d(2, ceil_mode=True),
        )
        self.head = nn.Linear(2 * width, 4 * width)
        self.fc = nn.Linear(4 * width, num_classes)

    def forward_features(self, images: Tensor) -> Tensor:
        """The last feature map."""
        features: Tensor = self.body(images)
        return features

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """From the feature map to the logits, or to what they are computed from."""
        hidden: Tensor = self.head(features.mean(dim=(2, 3))).relu()
        return hidden if pre_logits else self.fc(hidden)

    def get_classifier(self) -> nn.Linear:
        """The last layer."""
        return self.fc

    def forward(self, images: Tensor) -> Tensor:
        """The logits."""
        return self.forward_head(self.forward_features(images))


def create_model(
    name: str,
    *,
    num_classes: int,
    in_channels: int = 3,
    small_stem: bool = False,
    zero_init: bool = True,
    blur_pool: bool = False,
    drop_path: float = 0.0,
    image_size: int | None = None,
) -> nn.Module:
    """A freshly initialised model; its weights are a function of torch's global seed.

    Args:
        name: A model of timm, or ``small-convnet``.
        num_classes: K.
        in_channels: Channels of the images.
        small_stem: For small images: a first convolution of 3×3 with stride 1, and no max-pool.
            For timm's ResNets and MobileNetV2.
        zero_init: Whether a ResNet's residual branches start at zero (timm's way) or not
            (torchvision's); without effect on other models.
        blur_pool: Blur with [1, 2, 1]⊗[1, 2, 1]/16 before each strided convolution that has at
            least 16 input channels (Zhang 2019, placed as FFCV's ImageNet code places it). Adds
            no parameters.
        drop_path: Rate of stochastic depth, for models that have it.
        image_size: Side of the images, for models that need to know it (vision transformers).

    Raises:
        ValueError: There is no such model, or it does not have what is asked.

    Example:
        >>> model = create_model("resnet18", num_classes=100, small_stem=True)
        >>> sum(parameter.numel() for parameter in model.parameters())
        11220132
    """
    if name == SMALL_CONVNET:
        _refuse(name, small_stem=small_stem, blur_pool=blur_pool, drop_path=drop_path > 0)
        return SmallConvNet(num_classes, in_channels)
    if name not in timm.list_models():
        close = difflib.get_close_matches(name, [SMALL_CONVNET, *timm.list_models()], n=5)
        hint = f" Close to it are {', '.join(close)}." if close else ""
        raise ValueError(
            f"No model is called {name!r}.{hint} There are {SMALL_CONVNET} and timm's models, "
            "which timm.list_models() lists."
        )
    options: dict[str, float] = {"drop_path_rate": drop_path} if drop_path else {}
    published = timm.models.get_pretrained_cfg(name)
    if image_size is not None and published is not None and published.fixed_input_size:
        options["img_size"] = image_size
    if not zero_init and timm.models.model_entrypoint(name).__module__ == "timm.models.resnet":
        options["zero_init_last"] = False
    model: nn.Module = timm.create_model(
        name, pretrained=False, num_classes=num_classes, in_chans=in_channels, **options
    )
    if small_stem:
        _make_stem_small(name, model, in_channels)
    if blur_pool:
        _blur_before_strides(name, model)
    return model


def features_and_logits(model: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    """The penultimate features (N, D) and the logits (N, K) of a batch.

    The logits are those of ``model(images)`` in evaluation mode.

    Args:
        model: Of :func:`create_model`, not wrapped for distributed training.
        images: (N, C, H, W), normalised.

    Example:
        >>> import torch
        >>> model = SmallConvNet(num_classes=10, in_channels=1).eval()
        >>> features, logits = features_and_logits(model, torch.zeros(2, 1, 8, 8))
        >>> features.shape, logits.shape
        (torch.Size([2, 64]), torch.Size([2, 10]))
    """
    maps = model.forward_features(images)  # type: ignore[operator]
    features: Tensor = model.forward_head(maps, pre_logits=True)  # type: ignore[operator]
    logits: Tensor = model.get_classifier()(features)  # type: ignore[operator]
    return features, logits


def class_templates(model: nn.Module) -> Tensor:
    """The rows of the last layer's weight, (K, D): what a class's features are compared with.

    Example:
        >>> class_templates(SmallConvNet(num_classes=10, in_channels=1)).shape
        torch.Size([10, 64])
    """
    weight: Tensor = model.get_classifier().weight  # type: ignore[operator]
    return weight.detach()


def _block(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
    )


def _make_stem_small(name: str, model: nn.Module, in_channels: int) -> None:
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


def _blur_before_strides(name: str, model: nn.Module) -> None:
    strided = [
        (place, module)
        for place, module in model.named_modules()
        if isinstance(module, nn.Conv2d)
        and max(module.stride) > 1
        and module.in_channels >= _LEAST_CHANNELS_TO_BLUR
    ]
    if not strided:
        raise ValueError(
            f"{name} has no strided convolution of at least {_LEAST_CHANNELS_TO_BLUR} input "
            "channels to blur before; leave blur_pool off."
        )
    for place, convolution in strided:
        # Black around the image, as the convolutions themselves have it; timm's default reflects.
        blur = BlurPool2d(convolution.in_channels, filt_size=3, stride=1, pad_mode="constant")
        model.set_submodule(place, nn.Sequential(blur, convolution))


def _refuse(name: str, **asked: bool) -> None:
    for setting, is_asked in asked.items():
        if is_asked:
            raise ValueError(f"{name} has no {setting}; leave it at its default.")
