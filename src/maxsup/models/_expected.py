"""What weights were trained for: which model, and what its images look like."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import timm
from safetensors import SafetensorError, safe_open

from maxsup.models._create import TIMM, check_name, check_published
from maxsup.models._own import is_own
from maxsup.models._weights_file import WeightsFile, check_classifies, find_weights


@dataclass(frozen=True)
class Expected:
    """A model as its weights need it, and the images that it is to be given."""

    model: str
    """The name that :func:`create_model` knows it by."""
    mean: tuple[float, ...]
    """Mean of each channel, of pixels in [0, 1]."""
    std: tuple[float, ...]
    """Standard deviation of each channel."""
    image_size: int
    """Side of the images in pixels."""
    crop: float
    """Fraction of a photograph's shorter side that its central part has."""
    interpolation: Literal["bilinear", "bicubic"]
    """How images are resized."""
    source: str
    """Who says so: a phrase."""
    reading: Literal["small", "photographs"] = "photographs"
    """Whether the weights have seen small images as they are, or parts of photographs."""
    small_stem: bool = False
    """Whether the first convolution and the max-pool were changed for small images."""
    zero_init: bool = True
    """Whether a ResNet's residual branches started at zero."""
    blur_pool: bool = False
    """Whether strided convolutions come after a blur."""
    classes: tuple[str, ...] | None = None
    """The names of the classes in the order of the logits, where the configuration has them."""


def expected_by(model: str | None, weights: str, *, otherwise: str | None = None) -> Expected:
    """What weights expect, as the configuration beside them says, or timm of the model.

    Args:
        model: The model's name; none where the configuration beside the weights names it.
        weights: ``timm`` for those that timm publishes, or a file or directory.
        otherwise: The model where neither that nor a configuration names one.

    Raises:
        ValueError: There are no such weights, or nothing says which model they are of.

    Example:
        >>> expected = expected_by("tf_efficientnet_lite0.in1k", "timm")
        >>> expected.image_size, expected.crop, expected.interpolation, expected.mean
        (224, 0.875, 'bicubic', (0.5, 0.5, 0.5))
    """
    if model is not None and not is_own(model):
        # A tag names published weights, not those of a file.
        check_name(model if weights == TIMM else model.partition(".")[0])
    if weights == TIMM:
        model = model or otherwise
        if model is None or is_own(model):
            raise ValueError(
                f"timm publishes no weights of {model or 'a model that is not named'}: name one "
                "of timm's models with --model, or a file with --weights."
            )
        check_published(model, timm.models.get_pretrained_cfg(model))
        return _of_published(model)
    file = find_weights(weights)
    config = file.config or _config_within(file)
    if config is None:
        model = model or otherwise
        if model is None:
            raise ValueError(
                f"weights: nothing beside {file.path} says which model it is of, as a config.json "
                "would. Name it with --model, by its name in timm."
            )
        return _of_published(model)
    check_classifies(config, file.path)
    found = _of_config(config, file)
    if model is not None and model.partition(".")[0] != found.model.partition(".")[0]:
        raise ValueError(
            f"--model {model} does not go with {file.path}, whose configuration says that it is of "
            f"{found.model}. Leave --model away, or name other weights."
        )
    return found


def _config_within(file: WeightsFile) -> Mapping[str, Any] | None:
    """The configuration in the metadata of a safetensors file of ours."""
    if file.path.suffix != ".safetensors":
        return None
    try:
        with safe_open(file.path, "pt") as content:
            text = (content.metadata() or {}).get("config")
        config = json.loads(text) if text else None
    except (SafetensorError, ValueError):
        return None  # reading the weights says what is wrong
    return config if isinstance(config, dict) and "architecture" in config else None


def _of_published(model: str) -> Expected:
    published = timm.models.get_pretrained_cfg(model)
    if is_own(model) or published is None:
        raise ValueError(
            f"weights: nothing says which images {model} expects; name the directory of a run, or "
            "one with a config.json, with --weights."
        )
    return expected_of_fields(model, published.to_dict(), f"timm of {model}")


def _of_config(config: Mapping[str, Any], file: WeightsFile) -> Expected:
    model = config.get("architecture")
    if not isinstance(model, str):
        raise ValueError(
            f"weights: the config.json of {file.path} names no architecture, so it is none of "
            "timm's. Name the file itself with --weights and the model with --model."
        )
    fields = config.get("pretrained_cfg")
    # Older exports of timm have all on one level.
    fields = config if not isinstance(fields, dict) else fields
    own = config.get("maxsup")
    own = own if isinstance(own, dict) else {}
    architecture = own.get("architecture", {})
    return expected_of_fields(
        architecture.get("name", model),
        fields,
        f"the configuration of {file.path}",
        reading="small" if own.get("reading") == "small" else "photographs",
        small_stem=bool(architecture.get("small_stem", False)),
        zero_init=bool(architecture.get("zero_init", True)),
        blur_pool=bool(architecture.get("blur_pool", False)),
        classes=_classes_of(config),
    )


def _classes_of(config: Mapping[str, Any]) -> tuple[str, ...] | None:
    names = config.get("label_names")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return None
    return tuple(names) or None


def expected_of_fields(model: str, fields: Mapping[str, Any], source: str, **own: Any) -> Expected:
    """From the fields that timm has for a model's images; its defaults where one is missing.

    Args:
        model: The model's name.
        fields: As in ``pretrained_cfg``.
        source: Who says so: a phrase.
        **own: What timm has no field for.
    """
    config = timm.data.resolve_data_config(pretrained_cfg=dict(fields))
    _, height, _ = config["input_size"]
    bilinear = config["interpolation"] == "bilinear"
    return Expected(
        model,
        mean=tuple(round(float(value), 6) for value in config["mean"]),
        std=tuple(round(float(value), 6) for value in config["std"]),
        image_size=int(height),
        crop=min(float(config["crop_pct"]), 1.0),
        # What is neither (lanczos, random) is nearer to the sharper one.
        interpolation="bilinear" if bilinear else "bicubic",
        source=source,
        **own,
    )
