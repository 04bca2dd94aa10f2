"""Files of weights, ours and other people's: where they are, and what is in them."""

import argparse
import functools
import hashlib
import json
import pickle
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from maxsup._digests import read_checked
from maxsup._home import expand_home

_IN_DIRECTORIES = ("model.safetensors", "pytorch_model.bin")
"""What the Hub, timm and runs call the file of the weights."""
_CONFIG_FILE = "config.json"
_RUNS_BELOW = ("seed-*/", "*/seed-*/")
_TORCH = (".pth", ".pt", ".bin", ".tar", ".ckpt")
_ENTRIES = ("state_dict_ema", "model_ema", "state_dict", "model")
"""Where checkpoints keep the weights; averaged ones, with which models are measured, come first."""

ANY_WEIGHTS = (
    "a file of weights (.safetensors, .pth, .pt, .bin), a directory with config.json and "
    "model.safetensors as timm and the Hub have it, or the directory of a finished run"
)


@dataclass(frozen=True)
class WeightsFile:
    """A file of weights, and what lies beside it."""

    path: Path
    """The file."""
    config: Mapping[str, Any] | None
    """What its ``config.json`` says, in timm's layout; none where there is none."""


def find_weights(name: str) -> WeightsFile:
    """The file that a path of weights means: itself, or the one in a directory.

    Raises:
        ValueError: There is none, or the configuration beside it cannot be read.
    """
    if "://" in name:
        raise ValueError(
            f"weights: {name} is no path: weights are read from this machine's disks. Download the "
            "file, and name that."
        )
    path = expand_home(name)
    if path.is_dir():
        found = [path / each for each in _IN_DIRECTORIES if (path / each).is_file()]
        if not found:
            below = (next(path.glob(f"{each}{_IN_DIRECTORIES[0]}"), None) for each in _RUNS_BELOW)
            run = next((each.parent for each in below if each is not None), None)
            raise ValueError(
                f"weights: {path} holds no {' or '.join(_IN_DIRECTORIES)}. Name "
                + (f"one of the runs in it, such as {run}." if run else f"{ANY_WEIGHTS}.")
            )
        return WeightsFile(found[0], _read_config(path / _CONFIG_FILE))
    if not path.is_file():
        raise ValueError(f"weights: there is no file {path}. Name {ANY_WEIGHTS}; or timm.")
    beside = path.name in _IN_DIRECTORIES
    return WeightsFile(path, _read_config(path.parent / _CONFIG_FILE) if beside else None)


def _read_config(path: Path) -> Mapping[str, Any] | None:
    if not path.is_file():
        return None
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"weights: {path} is no JSON file: {error}.") from error
    if not isinstance(config, dict):
        raise ValueError(f"weights: {path} describes no model; it holds no JSON object.")
    check_classifies(config, path.parent)
    return config


def check_classifies(config: Mapping[str, Any], path: Path) -> None:
    """See that a configuration is of a model that images are classified with, or may be.

    Raises:
        ValueError: It is of one for segmentation.
    """
    if is_of_segmentation(config):
        raise ValueError(
            f"weights: {path} holds a model for segmentation, whose backbone and head are one. "
            "Name what its backbone began with, the weights in its settings.json; or a run that "
            "classifies images."
        )


def is_of_segmentation(config: Mapping[str, Any]) -> bool:
    """Whether a configuration is that of a model for segmentation of ours."""
    return config.get("task") == "segmentation"


def digest_of_weights(name: str) -> str:
    """SHA-256 of the content of the file that :func:`find_weights` finds.

    Raises:
        ValueError: There is none.
    """
    path = find_weights(name).path
    state = path.stat()
    return _digest_of_file(path.absolute(), state.st_size, state.st_mtime_ns)


@functools.lru_cache(maxsize=256)
def _digest_of_file(path: Path, size: int, time: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_weights(path: Path) -> tuple[dict[str, Tensor], str | None]:
    """The weights in a file, by name, and the entry of it that holds them.

    A file of torch's is read by ``torch.load(weights_only=True)``, which runs nothing that stands
    in it. The weights may be all of it, or an entry ``state_dict``, ``model``, ``state_dict_ema``
    or ``model_ema`` (averaged ones are taken first).

    Raises:
        ValueError: It holds no weights, more than weights, or is damaged; the message says what to
            do.
    """
    if path.suffix == ".safetensors":
        try:
            return load(read_checked(path)), None
        except SafetensorError as error:
            raise ValueError(f"weights: {path} is no safetensors file: {error}") from error
    if path.suffix not in _TORCH:
        raise ValueError(f"weights: {path} is of no kind that is known here. Name {ANY_WEIGHTS}.")
    content = _read_torch(path)
    entry = None
    if isinstance(content, Mapping):
        entry = next((name for name in _ENTRIES if isinstance(content.get(name), Mapping)), None)
    found = content if entry is None else content[entry]
    if not isinstance(found, Mapping) or not found:
        raise ValueError(_no_weights(path, content))
    weights = {str(name): value for name, value in found.items() if isinstance(value, Tensor)}
    if not weights:
        raise ValueError(_no_weights(path, content))
    return weights, entry


def _read_torch(path: Path) -> Any:
    try:
        # timm's training script keeps its arguments in one, which holds them and does nothing.
        with torch.serialization.safe_globals([argparse.Namespace]), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a pickle that no version of torch has written
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError(
            f"weights: {path} holds more than weights, objects that only running its code would "
            "make, and that is not done with files of others. If you trust it, write the weights "
            "alone to another file: torch.save(torch.load(FILE, weights_only=False)"
            '["state_dict"], NEW) with the entry that holds them, or for a whole model '
            "torch.save(torch.load(FILE, weights_only=False).state_dict(), NEW)."
        ) from error
    except (RuntimeError, EOFError, ValueError, KeyError) as error:
        if "TorchScript" in str(error):
            raise ValueError(
                f"weights: {path} is a TorchScript archive, which holds a program. If you trust "
                "it, write its weights alone to another file: "
                "torch.save(torch.jit.load(FILE).state_dict(), NEW)."
            ) from error
        what = str(error).splitlines()[0] if str(error) else "it is empty"
        raise ValueError(f"weights: {path} is damaged, or no file of torch's: {what}.") from error


def _no_weights(path: Path, content: Any) -> str:
    there = (
        f"it has {', '.join(map(str, list(content)[:5])) or 'nothing'}"
        if isinstance(content, Mapping)
        else f"it is of type {type(content).__name__}"
    )
    return (
        f"weights: {path} holds no weights by name: {there}. Expected is a state_dict, alone or as "
        f"one of the entries {', '.join(_ENTRIES)}."
    )
