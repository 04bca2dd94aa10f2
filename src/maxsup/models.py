"""timm's models by name, a stem for small images, and the features before the last layer."""

import difflib
from pathlib import Path

import timm
from safetensors import SafetensorError
from safetensors.torch import load_file
from timm.layers import BlurPool2d
from torch import Tensor, nn

from maxsup import _cifar_resnet
from maxsup._cifar_resnet import CifarResNet

__all__ = ["CifarResNet", "SmallConvNet", "class_templates", "create_model", "features_and_logits"]

SMALL_CONVNET = "small-convnet"
TIMM = "timm"
_OWN = (SMALL_CONVNET, *_cifar_resnet.NAMES)


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
    weights: str | None = None,
) -> nn.Module:
    """A freshly initialised model; its weights are a function of torch's global seed.

    Args:
        name: A model of timm, ``small-convnet``, or ``cifar-resnet32`` and its like. A model of
            timm may have the tag of its published weights behind a dot: ``resnet50.tv_in1k``.
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
        weights: Start from these in place of fresh ones: a safetensors file, whose last layer is
            left out where it has other classes; or ``timm``, for those that timm downloads.

    Raises:
        ValueError: There is no such model, it does not have what is asked, or the weights are not
            this model's or cannot be downloaded.

    Example:
        >>> model = create_model("resnet18", num_classes=100, small_stem=True)
        >>> sum(parameter.numel() for parameter in model.parameters())
        11220132
    """
    if name in _OWN:
        _refuse(
            name,
            small_stem=small_stem,
            blur_pool=blur_pool,
            drop_path=drop_path > 0,
            weights=weights == TIMM,
        )
        own = _build_own(name, num_classes, in_channels)
        if weights is not None:
            _load_weights(name, own, Path(weights))
        return own
    architecture = _check_name(name)
    options: dict[str, float] = {"drop_path_rate": drop_path} if drop_path else {}
    published = timm.models.get_pretrained_cfg(name)
    if image_size is not None and published is not None and published.fixed_input_size:
        options["img_size"] = image_size
    if (
        not zero_init
        and timm.models.model_entrypoint(architecture).__module__ == "timm.models.resnet"
    ):
        options["zero_init_last"] = False
    if weights == TIMM:
        _check_published(name, published)
    try:
        model: nn.Module = timm.create_model(
            name,
            pretrained=weights == TIMM,
            num_classes=num_classes,
            in_chans=in_channels,
            **options,
        )
    except OSError as error:
        raise ValueError(
            f"The weights of {name} cannot be downloaded: {error} Once they have been, no network "
            "is needed; or name a safetensors file with --weights."
        ) from error
    if small_stem:
        _make_stem_small(name, model, in_channels)
    if blur_pool:
        _blur_before_strides(name, model)
    if weights is not None and weights != TIMM:
        _load_weights(name, model, Path(weights))
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


def _build_own(name: str, num_classes: int, in_channels: int) -> nn.Module:
    if name == SMALL_CONVNET:
        return SmallConvNet(num_classes, in_channels)
    return CifarResNet(int(name.removeprefix("cifar-resnet")), num_classes, in_channels)


def _check_name(name: str) -> str:
    """The architecture that timm knows a model by; its weights' tag comes behind a dot."""
    architecture, _, tag = name.partition(".")
    if architecture not in timm.list_models():
        close = difflib.get_close_matches(architecture, [*_OWN, *timm.list_models()], n=5)
        hint = f" Close to it are {', '.join(close)}." if close else ""
        raise ValueError(
            f"No model is called {architecture!r}.{hint} There are {', '.join(_OWN)} and timm's "
            "models, which timm.list_models() lists."
        )
    if tag and name not in (published := timm.list_pretrained(f"{architecture}.*")):
        raise ValueError(
            f"timm publishes no weights of {architecture} with the tag {tag!r}; there are "
            f"{', '.join(published) or 'none'}."
        )
    return architecture


def _check_published(name: str, published: object) -> None:
    if not getattr(published, "has_weights", False):
        raise ValueError(
            f"timm publishes no weights of {name}; name a safetensors file, or leave weights out."
        )


_SHOWN = 5


def _load_weights(name: str, model: nn.Module, path: Path) -> None:
    """Everything but a last layer for other classes must be there, and nothing else."""
    if not path.is_file():
        raise ValueError(f"weights: there is no file {path}. Name a safetensors file, or {TIMM}.")
    try:
        found = load_file(path)
    except SafetensorError as error:
        raise ValueError(f"weights: {path} is no safetensors file: {error}") from error
    expected = model.state_dict()
    classifier = model.get_classifier()  # type: ignore[operator]
    for key, value in expected.items():
        is_last = any(value.data_ptr() == own.data_ptr() for own in classifier.parameters())
        if is_last and key in found and found[key].shape != value.shape:
            found[key] = value
    wrong = [key for key in expected if key not in found]
    wrong += [key for key in found if key not in expected]
    wrong += [key for key in expected if key in found and found[key].shape != expected[key].shape]
    if wrong:
        more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise ValueError(
            f"weights: {path} does not fit {name} as it is set up here; missing, unknown or of "
            f"another shape: {', '.join(wrong[:_SHOWN])}{more}. Take the model, the stem and the "
            "blur_pool with which they were trained."
        )
    model.load_state_dict(found)


def _refuse(name: str, **asked: bool) -> None:
    for setting, is_asked in asked.items():
        if is_asked:
            raise ValueError(f"{name} has no {setting}; leave it at its default.")
