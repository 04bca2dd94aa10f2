"""A trained model with all that a stranger needs to use it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor, nn

from maxsup._digests import digest, read_checked, read_object
from maxsup._files import atomic_write, write_text
from maxsup._places import as_place
from maxsup._tensor_bytes import tensor_bytes
from maxsup.data import (
    Normalization,
    PhotographSettings,
    read_central_part,
    read_small_image,
)
from maxsup.models._description import ModelDescription
from maxsup.models._features import feature_width

WEIGHTS_FILE = "model.safetensors"
CONFIG_FILE = "config.json"

_Model = TypeVar("_Model", bound=nn.Module)


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


def save_model(directory: Path, model: nn.Module, description: ModelDescription) -> dict[str, str]:
    """Write a model's weights and buffers as safetensors, and ``config.json`` beside them.

    The configuration stands in the metadata of the safetensors file as well, so that the file
    alone is enough.

    Returns:
        SHA-256 of each of the two files, by its name.

    Raises:
        OSError: They could not be written; former files are intact.
    """
    return write_model(directory, model, description.to_config(feature_width(model)))


def write_model(directory: Path, model: nn.Module, config: dict[str, Any]) -> dict[str, str]:
    """Write any model's weights and buffers and its configuration, as :func:`save_model` does."""
    content = tensor_bytes(model.state_dict(), {"format": "pt", "config": json.dumps(config)})
    with atomic_write(directory / WEIGHTS_FILE) as file:
        file.write(content)
    text = json.dumps(config, indent=2, ensure_ascii=False) + "\n"
    write_text(directory / CONFIG_FILE, text)
    return {WEIGHTS_FILE: digest(content), CONFIG_FILE: digest(text.encode())}


def load_run(directory: str | Path) -> TrainedModel:
    """The trained model of a run, ready to use, with its preprocessing.

    Args:
        directory: The run's directory, a path or a URL such as ``s3://…``.

    Returns:
        The model in evaluation mode on the CPU, with ``.classes`` and ``.preprocess``.

    Raises:
        ValueError: The directory holds no trained model, one whose files are not as they were
            written, or one that this version cannot read; the message says what to do.
        OSError: A file cannot be read.

    Example:
        >>> import tempfile
        >>> from maxsup.models import Architecture
        >>> place = Path(tempfile.mkdtemp())
        >>> description = ModelDescription(
        ...     Architecture("small-convnet", num_classes=2, in_channels=1),
        ...     classes=("cat", "dog"), mean=(0.5,), std=(0.25,), input_size=(1, 8, 8),
        ...     reading="small",
        ... )
        >>> digests = save_model(place, description.architecture.build(), description)
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
    content = read_object(read_checked(config), config)
    description = ModelDescription.from_config(content, config)
    architecture = description.architecture
    return TrainedModel(read_model(place, architecture.name, architecture.build), description)


def read_model(place: Path, name: str, build: Callable[[], _Model]) -> _Model:
    """A model in evaluation mode with the weights that :func:`write_model` wrote.

    Args:
        place: The directory.
        name: What the model is called, for messages.
        build: Gives the model; its first weights are of no account, and cost no random numbers.

    Raises:
        ValueError: The file is not as it was written, or not of this model.
        OSError: It cannot be read.
    """
    weights = read_checked(place / WEIGHTS_FILE)
    with torch.random.fork_rng(devices=[]):
        model = build()
    try:
        model.load_state_dict(load(weights))
    except (SafetensorError, RuntimeError) as error:
        raise ValueError(
            f"{place / WEIGHTS_FILE} does not hold the weights of {name} as {CONFIG_FILE} "
            f"describes it: {error}"
        ) from error
    return model.eval()
