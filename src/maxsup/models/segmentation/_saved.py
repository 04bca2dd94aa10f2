"""A trained segmentation model with all that a stranger needs to use it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from maxsup._digests import read_checked, read_object
from maxsup._formats import check_format
from maxsup._places import as_place
from maxsup.data import Normalization
from maxsup.models._saved import CONFIG_FILE, read_model, write_model
from maxsup.models.segmentation._model import SegmentationModel, create_segmentation_model

FORMAT = 1
"""The format of our part of ``config.json``."""


@dataclass(frozen=True)
class SegmentationArchitecture:
    """Which model it is: arguments of :func:`create_segmentation_model` but for the weights."""

    name: str
    num_classes: int
    head: str = "upernet"
    in_channels: int = 3
    image_size: tuple[int, int] | None = None
    channels: int = 512
    small_stem: bool = False
    zero_init: bool = True
    blur_pool: bool = False
    drop_path: float = 0.0
    freeze_backbone: bool = False
    auxiliary: bool = True

    def build(self, weights: str | None = None, **options: Any) -> SegmentationModel:
        """The model; ``options`` are the further ones of :func:`create_segmentation_model`."""
        return create_segmentation_model(**asdict(self), weights=weights, **options)


@dataclass(frozen=True)
class SegmentationDescription:
    """What a stranger needs beside the weights: classes, colours, preprocessing, architecture."""

    architecture: SegmentationArchitecture
    classes: tuple[str, ...]
    """Names of the classes, in the order of the logits."""
    palette: tuple[tuple[int, int, int], ...]
    """A colour for each class: red, green, blue from 0 to 255."""
    mean: tuple[float, ...]
    """Mean of each channel, of pixels in [0, 1]."""
    std: tuple[float, ...]
    """Standard deviation of each channel."""

    def __post_init__(self) -> None:
        expected = self.architecture.num_classes
        if not len(self.classes) == len(self.palette) == expected:
            raise ValueError(
                f"classes and palette must have an entry for each of {expected} classes; got "
                f"{len(self.classes)} and {len(self.palette)}."
            )

    def to_config(self) -> dict[str, Any]:
        """The content of ``config.json``."""
        return {
            "architecture": self.architecture.name.partition(".")[0],
            "task": "segmentation",
            "num_classes": self.architecture.num_classes,
            "label_names": list(self.classes),
            "palette": [list(color) for color in self.palette],
            "pretrained_cfg": {"mean": list(self.mean), "std": list(self.std)},
            "maxsup": {"format": FORMAT, "segmentation": asdict(self.architecture)},
        }

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], what: Path | str = "This configuration"
    ) -> "SegmentationDescription":
        """The description that :meth:`to_config` wrote.

        Raises:
            ValueError: The content is of another kind, or of a newer version of maxsup.
        """
        own = config.get("maxsup")
        if not isinstance(own, dict) or "segmentation" not in own:
            raise ValueError(
                f"{what} describes no segmentation model of maxsup. Name the directory of a "
                "segmentation run that has finished."
            )
        check_format(
            own.get("format"), str(what), newest=FORMAT, remedy="Repeat the run by its command."
        )
        try:
            fields = dict(own["segmentation"])
            size = fields.get("image_size")
            fields["image_size"] = None if size is None else (int(size[0]), int(size[1]))
            return cls(
                SegmentationArchitecture(**fields),
                classes=tuple(config["label_names"]),
                palette=tuple((int(r), int(g), int(b)) for r, g, b in config["palette"]),
                mean=tuple(config["pretrained_cfg"]["mean"]),
                std=tuple(config["pretrained_cfg"]["std"]),
            )
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise ValueError(f"{what} describes no model: {error!r}.") from error


@dataclass(frozen=True)
class TrainedSegmentationModel:
    """A model in evaluation mode, with its classes, their colours and its preprocessing."""

    model: SegmentationModel
    description: SegmentationDescription

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the logits."""
        return self.description.classes

    @cached_property
    def normalization(self) -> Normalization:
        """From uint8 pixels to what the model is given."""
        return Normalization(self.description.mean, self.description.std)


def save_segmentation_model(
    directory: Path, model: SegmentationModel, description: SegmentationDescription
) -> dict[str, str]:
    """Write weights and buffers as safetensors, and ``config.json`` beside them.

    Returns:
        SHA-256 of each of the two files, by its name.

    Raises:
        OSError: They could not be written; former files are intact.
    """
    return write_model(directory, model, description.to_config())


def load_segmentation_run(directory: str | Path) -> TrainedSegmentationModel:
    """The trained model of a segmentation run, in evaluation mode on the CPU.

    Args:
        directory: The run's directory, a path or a URL such as ``s3://…``.

    Raises:
        ValueError: The directory holds no such model, one whose files are not as they were
            written, or one that this version cannot read.
        OSError: A file cannot be read.
    """
    place = as_place(directory)
    config = place / CONFIG_FILE
    if not config.exists():
        raise ValueError(
            f"{place} holds no {CONFIG_FILE}, so no trained model. Name the directory of a "
            "segmentation run that has finished."
        )
    content = read_object(read_checked(config), config)
    description = SegmentationDescription.from_config(content, config)
    architecture = description.architecture
    model = read_model(place, architecture.name, architecture.build)
    return TrainedSegmentationModel(model, description)
