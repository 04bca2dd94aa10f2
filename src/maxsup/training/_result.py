"""What a finished training leaves behind."""

import json
import math
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import load, save
from torch import Tensor

from maxsup._files import atomic_write, write_text
from maxsup.results.schema import Reliability

RESULT_FILE = "result.json"
ARRAYS_FILE = "result.safetensors"


@dataclass(frozen=True)
class Evaluation:
    """The measures of a trained model."""

    values: dict[str, float]
    """By name, ``test_accuracy`` and so on; NaN where one does not exist."""
    reliability: Reliability
    logit_counts: Tensor
    """The histogram of the test set's logits."""
    confusion: Tensor
    """(K, K): row i has the mean predicted probabilities over the training samples of class i."""


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
    evaluation: Evaluation

    @property
    def values(self) -> dict[str, float | None]:
        """The final measures by name; ``None`` where one does not exist."""
        return {k: v if math.isfinite(v) else None for k, v in self.evaluation.values.items()}

    def save(self, directory: Path) -> None:
        """Write the result's two files."""
        found = self.evaluation
        with atomic_write(directory / ARRAYS_FILE) as file:
            file.write(save({"logit_counts": found.logit_counts, "confusion": found.confusion}))
        content = {
            "data": self.data,
            "initial_weights": self.initial_weights,
            "batches": self.batches,
            "values": self.values,
            "reliability": found.reliability,
            "history": self.history,
        }
        write_text(directory / RESULT_FILE, json.dumps(content, indent=1) + "\n")

    @classmethod
    def load(cls, directory: Path) -> "RunResult | None":
        """The result kept in a run's directory, if the run has finished."""
        path = directory / RESULT_FILE
        if not path.exists():
            return None
        content = json.loads(path.read_text(encoding="utf-8"))
        values = {k: math.nan if v is None else v for k, v in content["values"].items()}
        return cls(
            data=content["data"],
            initial_weights=content["initial_weights"],
            batches=content["batches"],
            history=content["history"],
            evaluation=Evaluation(
                values=values,
                reliability=content["reliability"],
                **load((directory / ARRAYS_FILE).read_bytes()),
            ),
        )
