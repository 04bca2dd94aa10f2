"""Models by name: timm's, with what is changed in them for small images, and our own."""

import difflib
from collections.abc import Callable
from typing import Any

import timm
import torch
from torch import nn

from maxsup.models._adapt import blur_before_strides, make_stem_small, start_last_layer_small
from maxsup.models._features import check_last_layer
from maxsup.models._own import OWN_MODELS, is_own
from maxsup.models._weights import load_weights
from maxsup.models._weights_file import ANY_WEIGHTS

TIMM = "timm"
_PLACES = ("hf-hub:", "hf_hub:", "timm/")


def create_model(
    name: str,
    *,
    num_classes: int,
    in_channels: int = 3,
    small_stem: bool = False,
    zero_init: bool = True,
    blur_pool: bool = False,
    drop_path: float = 0.0,
    image_size: int | tuple[int, int] | None = None,
    any_size: bool = False,
    headless: bool = False,
    weights: str | None = None,
    partial_weights: bool = False,
    announce: Callable[[str], None] | None = None,
) -> nn.Module:
    """A freshly initialised model; its weights are a function of torch's global seed.

    Args:
        name: A model of timm, or ``small-convnet``, ``small-resnet``, or ``cifar-resnet32`` and its
            like. A model of timm may have the tag of its published weights behind a dot:
            ``resnet50.tv_in1k``.
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
        image_size: Side of the images, or height and width, for models that need to know it
            (vision transformers).
        any_size: Whether images of other sizes may come too, where timm can do that for a model
            that needs to know the size (``dynamic_img_size``).
        headless: Whether the last layer is of no account, so that nothing is said of it.
        weights: Start from these in place of fresh ones: a file (safetensors, or torch's, of which
            weights alone are read), a directory with ``config.json`` and ``model.safetensors``, a
            finished run's directory; or ``timm``, for those that timm downloads. Their last layer
            is left out where it is of other classes, and a new one starts near zero.
        partial_weights: Whether weights may fit in part: what is missing starts fresh, and what is
            left over is left out.
        announce: Is told what was decided of the weights, in sentences.

    Raises:
        ValueError: There is no such model, it does not have what is asked, or the weights are not
            this model's or cannot be downloaded.

    Example:
        >>> model = create_model("resnet18", num_classes=100, small_stem=True)
        >>> sum(parameter.numel() for parameter in model.parameters())
        11220132
    """
    if is_own(name):
        _refuse(
            name,
            small_stem=small_stem,
            blur_pool=blur_pool,
            drop_path=drop_path > 0,
            weights=weights == TIMM,
        )
        own = OWN_MODELS[name](num_classes=num_classes, in_channels=in_channels)
        if weights is not None:
            _start_from(name, own, weights, partial_weights, headless, announce)
        return own
    check_name(name)
    published = timm.models.get_pretrained_cfg(name)
    if weights == TIMM:
        check_published(name, published)
    try:
        model: nn.Module = timm.create_model(
            name,
            pretrained=weights == TIMM,
            num_classes=num_classes,
            **timm_arguments(
                name,
                in_channels=in_channels,
                zero_init=zero_init,
                drop_path=drop_path,
                image_size=image_size,
            ),
            **(_any_size_arguments(name) if any_size else {}),
        )
    except OSError as error:
        raise ValueError(
            f"The weights of {name} cannot be downloaded: {error} Once they have been, no network "
            f"is needed. Without a network, name what is on this machine with --weights: "
            f"{ANY_WEIGHTS}. To train without them, add --weights None."
        ) from error
    check_last_layer(name, model)
    if weights == TIMM and published is not None and published.num_classes != num_classes:
        start_last_layer_small(model)
    if small_stem:
        make_stem_small(name, model, in_channels)
    if blur_pool:
        blur_before_strides(name, model)
    if weights is not None and weights != TIMM:
        _start_from(name, model, weights, partial_weights, headless, announce)
    return model


def _start_from(
    name: str,
    model: nn.Module,
    weights: str,
    partial: bool,
    headless: bool,
    announce: Callable[[str], None] | None,
) -> None:
    loaded = load_weights(name, model, weights, partial=partial)
    if loaded.new_last_layer:
        start_last_layer_small(model)
    for note in loaded.notes if headless else (loaded.on_last_layer, *loaded.notes):
        if announce is not None:
            announce(note)


def timm_arguments(
    name: str,
    *,
    in_channels: int = 3,
    zero_init: bool = True,
    drop_path: float = 0.0,
    image_size: int | tuple[int, int] | None = None,
) -> dict[str, Any]:
    """The arguments of ``timm.create_model`` that stand for those of :func:`create_model`.

    What timm has no argument for (the small stem, the blur) is changed afterwards.

    Example:
        >>> timm_arguments("resnet18", zero_init=False)
        {'in_chans': 3, 'zero_init_last': False}
    """
    arguments: dict[str, Any] = {"in_chans": in_channels}
    if drop_path:
        arguments["drop_path_rate"] = drop_path
    published = timm.models.get_pretrained_cfg(name)
    if image_size is not None and published is not None and published.fixed_input_size:
        arguments["img_size"] = image_size
    entry_point = timm.models.model_entrypoint(name.partition(".")[0])
    if not zero_init and entry_point.__module__ == "timm.models.resnet":
        arguments["zero_init_last"] = False
    return arguments


def _any_size_arguments(name: str) -> dict[str, bool]:
    published = timm.models.get_pretrained_cfg(name)
    if published is None or not published.fixed_input_size:
        return {}
    arguments = {"dynamic_img_size": True}
    # Only its constructor knows whether a model takes this argument.
    with torch.random.fork_rng(devices=[]):
        try:
            timm.create_model(name, **arguments)
        except TypeError:
            return {}
    return arguments


def check_name(name: str) -> None:
    """See that timm knows the architecture; its weights' tag comes behind a dot.

    Raises:
        ValueError: It does not, or publishes no weights of that tag.
    """
    if name.startswith(_PLACES):
        raise ValueError(
            f"{name} is a place of timm's hub. Write the model as timm lists it: "
            f"{name.rpartition('/')[2]}"
        )
    architecture, _, tag = name.partition(".")
    if architecture not in timm.list_models():
        close = difflib.get_close_matches(architecture, [*OWN_MODELS, *timm.list_models()], n=5)
        hint = f" Close to it are {', '.join(close)}." if close else ""
        raise ValueError(
            f"No model is called {architecture!r}.{hint} There are {', '.join(OWN_MODELS)} and "
            "timm's models, which timm.list_models() lists."
        )
    if tag and name not in (published := timm.list_pretrained(f"{architecture}.*")):
        raise ValueError(
            f"timm publishes no weights of {architecture} with the tag {tag!r}; there are "
            f"{', '.join(published) or 'none'}."
        )


def check_published(name: str, published: object) -> None:
    """See that timm publishes weights of a model.

    Raises:
        ValueError: It does not.
    """
    if not getattr(published, "has_weights", False):
        raise ValueError(
            f"timm publishes no weights of {name}; name a file of them, or leave weights out."
        )


def _refuse(name: str, **asked: bool) -> None:
    for setting, is_asked in asked.items():
        if is_asked:
            raise ValueError(f"{name} has no {setting}; leave it at its default.")
