"""What a stranger must know of a model beside its weights."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from torch import nn

from maxsup._formats import check_format
from maxsup.models._create import create_model, timm_arguments
from maxsup.models._own import is_own
from maxsup.models._weights_file import is_of_segmentation

FORMAT = 1
"""The format of our part of ``config.json``."""


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

    def build(
        self,
        weights: str | None = None,
        *,
        partial_weights: bool = False,
        announce: Callable[[str], None] | None = None,
    ) -> nn.Module:
        """The model, freshly initialised or with ``weights`` as :func:`create_model` takes them."""
        return create_model(
            **asdict(self), weights=weights, partial_weights=partial_weights, announce=announce
        )


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
    def from_config(
        cls, config: Mapping[str, Any], what: Path | str = "This configuration"
    ) -> "ModelDescription":
        """The description that :meth:`to_config` wrote.

        Args:
            config: The content of ``config.json``.
            what: The file, as a message begins with it.

        Raises:
            ValueError: The content is of another kind, or of a newer version of maxsup.
        """
        own = config.get("maxsup")
        if not isinstance(own, dict):
            raise ValueError(
                f"{what} was not written by maxsup. Name the directory of a run that has finished, "
                "as runs/digits/maxsup/seed-0."
            )
        check_format(
            own.get("format"), str(what), newest=FORMAT, remedy="Repeat the run by its command."
        )
        if is_of_segmentation(config):
            raise ValueError(
                f"{what} describes a model for segmentation, where one that classifies images is "
                "expected: name the run that its backbone began with. The model itself is read by "
                "maxsup.models.segmentation.load_segmentation_run, and measured on the page of its "
                "study."
            )
        try:
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
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{what} describes no model: {error!r}.") from error
