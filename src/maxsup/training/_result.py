"""What a finished training leaves behind."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load, save
from torch import Tensor

from maxsup._files import atomic_write, write_text
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

    @property
    def values(self) -> dict[str, float | None]:
        """The final measures by name; ``None`` where one does not exist."""
        return {k: v if math.isfinite(v) else None for k, v in self.evaluation.values.items()}

    @property
    def records(self) -> Mapping[str, Tensor]:
        """What pictures are drawn from, by name."""
        return self.evaluation.records

    def save(self, directory: Path) -> None:
        """Write the result's two files."""
        with atomic_write(directory / ARRAYS_FILE) as file:
            file.write(save({name: each.contiguous() for name, each in self.records.items()}))
        content = {
            "format": FORMAT,
            "data": self.data,
            "initial_weights": self.initial_weights,
            "batches": self.batches,
            "values": self.values,
            "history": self.history,
        }
        write_text(directory / RESULT_FILE, json.dumps(content, indent=1) + "\n")

    @classmethod
    def load(cls, directory: Path) -> "RunResult | None":
        """The result kept in a run's directory, if the run has finished.

        Raises:
            ValueError: It was written by a newer version of maxsup.
        """
        path = directory / RESULT_FILE
        if not path.exists():
            return None
        content = json.loads(path.read_text(encoding="utf-8"))
        found = content.get("format", 1)
        if found > FORMAT:
            raise ValueError(
                f"{path} was written by a newer version of maxsup, in format {found}; this version "
                f"reads formats up to {FORMAT}. Install a newer version, or name another directory "
                "with --out."
            )
        records = load((directory / ARRAYS_FILE).read_bytes())
        if found == 1:
            bins = content["reliability"]
            rows = [bins["count"], bins["confidence"], bins["accuracy"]]
            records["reliability"] = torch.tensor(rows, dtype=torch.float64)
        return cls(
            data=content["data"],
            initial_weights=content["initial_weights"],
            batches=content["batches"],
            history=content["history"],
            evaluation=Found(
                {k: math.nan if v is None else v for k, v in content["values"].items()}, records
            ),
        )
