"""A trained model with all that a stranger needs to use it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from maxsup._files import atomic_write, write_text
from maxsup._places import as_place
from maxsup.data import (
    Normalization,
    PhotographSettings,
    read_central_part,
    read_small_image,
)
from maxsup.models._create import create_model, is_own, timm_arguments
from maxsup.models._features import class_templates

WEIGHTS_FILE = "model.safetensors"
CONFIG_FILE = "config.json"
FORMAT = 1


@dataclass(frozen=True)
class Architecture:
    """Which model it is: the arguments of :func:`create_model` but for the weights."""

    name: str
    """The name that :func:`create_model` knows it by."""
    num_classes: int
    """K."""
    in_channels: int = 3
    """Channels of the images."""
    small_stem: bool = False
    """Whether the first convolution and the max-pool were changed for small images."""
    zero_init: bool = True
    """Whether a ResNet's residual branches started at zero."""
    blur_pool: bool = False
    """Whether strided convolutions come after a blur."""
    drop_path: float = 0.0
    """Rate of stochastic depth."""
    image_size: int | None = None
    """Side of the images, where the model needs to know it."""

    def build(self, weights: str | None = None) -> nn.Module:
        """The model, freshly initialised or with ``weights`` as :func:`create_model` takes them."""
        return create_model(**asdict(self), weights=weights)


@dataclass(frozen=True)
class ModelDescription:
    """What a stranger needs beside the weights: classes, preprocessing, architecture."""

    architecture: Architecture
    classes: tuple[str, ...]
    """Names of the classes, in the order of the logits."""
    mean: tuple[float, ...]
    """Mean of each channel, of pixels in [0, 1]."""
    std: tuple[float, ...]
    """Standard deviation of each channel."""
    input_size: tuple[int, int, int]
    """Channels, height and width of the images that the model was measured on."""
    reading: Literal["small", "photographs"]
    """How a file becomes such an image: as it is (resized and cropped at its centre, bicubic, where
    it has another size), or its central part resized."""
    crop: float = 1.0
    """Fraction of a photograph's shorter side that its central part has."""
    interpolation: Literal["bilinear", "bicubic"] = "bicubic"
    """How images are resized."""

    def to_config(self, num_features: int) -> dict[str, Any]:
        """The content of ``config.json``: timm's layout for a model, and what it has no word for.

        timm itself reads it where the model is one of timm's without a small stem or blur:
        ``timm.create_model("local-dir:DIRECTORY", pretrained=True)``.
        """
        architecture = self.architecture
        config: dict[str, Any] = {
            "architecture": architecture.name.partition(".")[0],
            "num_classes": architecture.num_classes,
            "num_features": num_features,
            "label_names": list(self.classes),
            "model_args": {}
            if is_own(architecture.name)
            else timm_arguments(
                architecture.name,
                in_channels=architecture.in_channels,
                zero_init=architecture.zero_init,
                drop_path=architecture.drop_path,
                image_size=architecture.image_size,
            ),
            "pretrained_cfg": {
                "num_classes": architecture.num_classes,
                "input_size": list(self.input_size),
                "mean": list(self.mean),
                "std": list(self.std),
                "crop_pct": self.crop,
                "crop_mode": "center",
                "interpolation": self.interpolation,
            },
            "maxsup": {
                "format": FORMAT,
                "architecture": asdict(architecture),
                "reading": self.reading,
            },
        }
        return config

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "ModelDescription":
        """The description that :meth:`to_config` wrote.

        Raises:
            ValueError: The content is of another kind, or of a newer version of maxsup.
        """
        own = config.get("maxsup")
        if not isinstance(own, dict):
            raise ValueError("it was not written by maxsup")
        if own.get("format") != FORMAT:
            raise ValueError(
                f"it has format {own.get('format')!r}, and this version of maxsup reads format "
                f"{FORMAT}; a newer version may read it"
            )
        published = config["pretrained_cfg"]
        channels, height, width = published["input_size"]
        return cls(
            architecture=Architecture(**own["architecture"]),
            classes=tuple(config["label_names"]),
            mean=tuple(published["mean"]),
            std=tuple(published["std"]),
            input_size=(channels, height, width),
            reading=own["reading"],
            crop=published["crop_pct"],
            interpolation=published["interpolation"],
        )


@dataclass(frozen=True)
class TrainedModel:
    """A model in evaluation mode, with the preprocessing that it was measured with."""

    model: nn.Module
    description: ModelDescription

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the logits."""
        return self.description.classes

    @cached_property
    def normalization(self) -> Normalization:
        """From uint8 pixels to what the model is given."""
        return Normalization(self.description.mean, self.description.std)

    def preprocess(self, image: bytes | str | Path) -> Tensor:
        """What the model is given of an image file, as when the run was measured.

        Args:
            image: The file's path, or its content.

        Returns:
            Shape (C, H, W), float32, normalised; ``torch.stack`` makes a batch of several.

        Raises:
            ValueError: The image cannot be read.
            OSError: The file cannot be opened.
        """
        content = image if isinstance(image, bytes) else as_place(image).read_bytes()
        of = self.description
        channels, height, width = of.input_size
        if of.reading == "photographs":
            pixels = read_central_part(
                content, PhotographSettings(height, of.crop, of.interpolation)
            )
        else:
            pixels = read_small_image(content, (height, width), grey=channels == 1)
        batch = torch.from_numpy(pixels).permute(2, 0, 1).unsqueeze(0)
        return self.normalization(batch)[0]


def save_model(directory: Path, model: nn.Module, description: ModelDescription) -> None:
    """Write a model's weights and buffers as safetensors, and ``config.json`` beside them.

    The configuration stands in the metadata of the safetensors file as well, so that the file
    alone is enough.

    Raises:
        OSError: They could not be written; former files are intact.
    """
    config = description.to_config(num_features=class_templates(model).shape[1])
    weights = {name: value.contiguous() for name, value in model.state_dict().items()}
    with atomic_write(directory / WEIGHTS_FILE) as file:
        file.write(save(weights, {"format": "pt", "config": json.dumps(config)}))
    text = json.dumps(config, indent=2, ensure_ascii=False) + "\n"
    write_text(directory / CONFIG_FILE, text)


def load_run(directory: str | Path) -> TrainedModel:
    """The trained model of a run, ready to use, with its preprocessing.

    Args:
        directory: The run's directory, a path or a URL such as ``s3://…``.

    Returns:
        The model in evaluation mode on the CPU, with ``.classes`` and ``.preprocess``.

    Raises:
        ValueError: The directory holds no trained model, or one that this version cannot read; the
            message says what to do.

    Example:
        >>> import tempfile
        >>> from maxsup.models import SmallConvNet
        >>> place = Path(tempfile.mkdtemp())
        >>> description = ModelDescription(
        ...     Architecture("small-convnet", num_classes=2, in_channels=1),
        ...     classes=("cat", "dog"), mean=(0.5,), std=(0.25,), input_size=(1, 8, 8),
        ...     reading="small",
        ... )
        >>> save_model(place, description.architecture.build(), description)
        >>> run = load_run(place)
        >>> run.classes, run.model(torch.zeros(1, 1, 8, 8)).shape
        (('cat', 'dog'), torch.Size([1, 2]))
    """
    place = as_place(directory)
    config = place / CONFIG_FILE
    if not config.exists():
        raise ValueError(
            f"{place} holds no {CONFIG_FILE}, so no trained model. Name the directory of a run "
            "that has finished, as runs/digits/maxsup/seed-0; a run of an earlier version must "
            "be repeated, by: maxsup train DIRECTORY/settings.json --out NEW."
        )
    try:
        description = ModelDescription.from_config(json.loads(config.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{config} cannot be used: {error}.") from error
    model = description.architecture.build()
    try:
        model.load_state_dict(load((place / WEIGHTS_FILE).read_bytes()))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise ValueError(
            f"{place / WEIGHTS_FILE} does not hold the weights of {description.architecture.name} "
            f"as {CONFIG_FILE} describes it: {error}"
        ) from error
    return TrainedModel(model.eval(), description)
