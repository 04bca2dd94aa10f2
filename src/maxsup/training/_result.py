"""What a finished training leaves behind."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from maxsup._digests import (
    DamagedFile,
    digest,
    read_checked,
    read_object,
    with_digest,
    write_sums,
)
from maxsup._files import atomic_write, write_text
from maxsup._formats import check_format
from maxsup.evaluation import Found

RESULT_FILE = "result.json"
ARRAYS_FILE = "result.safetensors"
FORMAT = 2
"""The format that results have; 1 was that of version 0.1, which had no number."""


@dataclass(frozen=True)
class RunResult:
    """A training's result; its ``result.json`` is written last and says that the run is done."""

    data: str
    """SHA-256 of the data, :attr:`maxsup.data.ImageData.fingerprint`."""
    initial_weights: str
    """SHA-256 of the weights before the first step."""
    batches: str
    """SHA-256 of the order and the augmentation of all epochs."""
    history: list[dict[str, float]]
    """A row for each epoch, as in ``metrics.jsonl``."""
    evaluation: Found
    """The measures of the trained model, and what pictures are drawn from."""
    settings: str = ""
    """SHA-256 of the settings, :meth:`RunSettings.fingerprint`; empty in files without it."""

    @property
    def values(self) -> dict[str, float | None]:
        """The final measures by name; ``None`` where one does not exist."""
        return {k: v if math.isfinite(v) else None for k, v in self.evaluation.values.items()}

    @property
    def records(self) -> Mapping[str, Tensor]:
        """What pictures are drawn from, by name."""
        return self.evaluation.records

    def save(self, directory: Path, digests: Mapping[str, str]) -> None:
        """Write the result's two files, and between them the digests of all files of the run.

        Args:
            directory: The run's directory.
            digests: SHA-256 of each other file that is read back, by its name.
        """
        arrays = save({name: each.contiguous() for name, each in self.records.items()})
        with atomic_write(directory / ARRAYS_FILE) as file:
            file.write(arrays)
        write_sums(directory, {**digests, ARRAYS_FILE: digest(arrays)})
        content = {
            "format": FORMAT,
            "settings": self.settings,
            "data": self.data,
            "initial_weights": self.initial_weights,
            "batches": self.batches,
            "values": self.values,
            "history": self.history,
        }
        text = json.dumps(with_digest(content), indent=1) + "\n"
        write_text(directory / RESULT_FILE, text)

    @classmethod
    def load(cls, directory: Path) -> "RunResult | None":
        """The result kept in a run's directory, if the run has finished.

        Raises:
            DamagedFile: It does not hold what was written.
            ValueError: It was written by a newer version of maxsup.
        """
        path = directory / RESULT_FILE
        try:
            content = read_object(path.read_bytes(), path)
        except FileNotFoundError:
            return None
        format_number = check_format(
            content.get("format", 1),
            str(path),
            newest=FORMAT,
            remedy="Name another directory with --out.",
        )
        try:
            records = load(read_checked(directory / ARRAYS_FILE))
            if format_number == 1:
                bins = content["reliability"]
                rows = [bins["count"], bins["confidence"], bins["accuracy"]]
                records["reliability"] = torch.tensor(rows, dtype=torch.float64)
            return cls(
                data=content["data"],
                initial_weights=content["initial_weights"],
                batches=content["batches"],
                history=content["history"],
                evaluation=Found(
                    {k: math.nan if v is None else v for k, v in content["values"].items()},
                    records,
                ),
                settings=content.get("settings", ""),
            )
        except (SafetensorError, KeyError, TypeError, AttributeError) as error:
            raise DamagedFile(f"{path} holds no whole result of a run: {error!r}.") from error
        except FileNotFoundError as error:
            raise DamagedFile(f"{path} lacks {ARRAYS_FILE} beside it.") from error
