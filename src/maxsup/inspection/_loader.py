"""A model that was named, and what loads it with its data."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch

from maxsup.data import DataSettings, ImageData
from maxsup.evaluation import Execution
from maxsup.inspection._processes import rank_and_number
from maxsup.inspection._settings import InspectionSettings
from maxsup.inspection._subject import Subject
from maxsup.training import RunSettings

Kind = Literal["run", "weights", "published", "predictions"]


@dataclass(frozen=True)
class Named:
    """One model that was found, and how it is loaded."""

    method: str
    label: str
    seed: int
    place: str
    group: tuple[str, ...]
    """What stands before the method where two groups would have one name, nearest last."""
    load: Callable[["Loader", "Named"], Subject]
    """Called with the loader and with this, whose names may have been changed since."""
    kind: Kind
    file: str
    """The file or directory that it lies in, or the name under which it is published."""
    within: str = ""
    """Which of the models in that file or directory it is, where there are several."""
    settings: RunSettings | None = None
    """How it was trained, where that is known."""
    name: str = ""
    """What its group was called before its name had to be told apart from another's."""


class FoundModels(NamedTuple):
    """Models that were found, and what a reader must know of how, such as what was passed over."""

    models: list[Named]
    notes: list[str]
    """In sentences."""


class Loader:
    """Loads models and their data; data that several of them share is loaded once.

    Args:
        settings: What was asked for.
        device: Where models are brought.
        kept: The directory that outputs are kept in, a directory each.
        announce: Is told what is going on, in sentences.
    """

    def __init__(
        self,
        settings: InspectionSettings,
        *,
        device: torch.device,
        kept: Path | None = None,
        announce: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.settings = settings
        self.announce = announce
        self._execution = Execution(device, *rank_and_number())
        self.kept = kept
        self._data: dict[str, ImageData] = {}
        self._digests: dict[str, str] = {}

    def subject(self, named: Named, **fields: Any) -> Subject:
        """A subject with what all have."""
        kept = None
        if self.kept is not None:
            kept = self.kept / _directory_of(named.method) / f"seed-{named.seed}"
        fields.setdefault("execution", self._execution)
        fields.setdefault("share", self.data)
        fields.setdefault("announce", self.announce)
        fields.setdefault("digests", self._digests)
        return Subject(
            named.method,
            named.label,
            named.seed,
            named.place,
            kept=kept,
            train_samples=self.settings.train_samples,
            **fields,
        )

    def execution(self, precision: str) -> Execution:
        """Where a pass runs, in the precision that a run was measured with."""
        if precision != "bf16":
            return self._execution
        device = self._execution.device
        return replace(
            self._execution, autocast=lambda: torch.autocast(device.type, torch.bfloat16)
        )

    def data(self, key: object, load: Callable[[], ImageData]) -> ImageData:
        """The data of that key, loaded where it has not been."""
        text = repr(key)
        if text not in self._data:
            self._data[text] = load()
        return self._data[text]

    def asked_data(self) -> DataSettings | None:
        """The data that was named, in place of the runs' own."""
        asked = self.settings
        if asked.data is None:
            return None
        return DataSettings(
            asked.data,
            image_column=asked.image_column,
            label_column=asked.label_column,
            probe_label=asked.probe_label,
            train_split=asked.train_split,
            test_split=asked.test_split,
        )


def _directory_of(group: str) -> str:
    """One directory for each group, whatever it is called.

    >>> _directory_of("maxsup"), _directory_of("maxsup:alpha=0.2"), _directory_of("..")
    ('maxsup', 'maxsup-alpha=0.2-4516044b', '-5ec1f7e7')
    """
    name = re.sub(r"[^\w.=+]+", "-", group, flags=re.ASCII).strip(".")[:80]
    return name if name == group else f"{name}-{hashlib.sha256(group.encode()).hexdigest()[:8]}"
