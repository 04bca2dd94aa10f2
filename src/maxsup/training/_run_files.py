"""The files of a run."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from maxsup._files import write_text
from maxsup._places import as_place
from maxsup.data import ImageData
from maxsup.evaluation import Outputs, SplitName, outputs_file, save_outputs
from maxsup.models import ModelDescription, save_model
from maxsup.training._checkpoint import State, load_checkpoint, save_checkpoint
from maxsup.training._position import Position
from maxsup.training._result import RunResult
from maxsup.training._settings import RunSettings

SETTINGS_FILE = "settings.json"
METRICS_FILE = "metrics.jsonl"
CHECKPOINT_FILE = "checkpoint.pt"


@dataclass(frozen=True)
class RunFiles:
    """The directory of a run, and what is written to it and read from it when.

    While a run is trained: its settings, a line of figures for each epoch, and a checkpoint. When
    it is done, in place of the checkpoint: the weights with what a stranger needs to use them, the
    outputs, and last of all the result.
    """

    directory: Path
    settings: RunSettings
    writes: bool
    """Whether this process writes; of several the first one does."""

    @classmethod
    def open(
        cls, settings: RunSettings, directory: Path | str | None, *, writes: bool
    ) -> "RunFiles":
        """The files of a run in a directory, by default the one that its settings name.

        Raises:
            ValueError: The directory holds a run with other settings.
        """
        place = as_place(settings.default_directory() if directory is None else directory)
        path = place / SETTINGS_FILE
        if path.exists() and RunSettings.load(path) != settings:
            raise ValueError(
                f"{place} holds a run with other settings. Name another directory with --out."
            )
        return cls(place, settings, writes)

    def finished(self, data: ImageData) -> RunResult | None:
        """The result, if the run is done.

        Raises:
            ValueError: It is of other data.
        """
        result = RunResult.load(self.directory)
        if result is not None:
            self._check_data(result.data, data)
        return result

    def begin(self, state: State, data: ImageData) -> Position:
        """Where to begin: at the start, or where the checkpoint is, which is put into ``state``.

        Raises:
            ValueError: The checkpoint cannot be read, or is of other data.
            OSError: The settings could not be written.
        """
        if self.writes:
            self.directory.mkdir(parents=True, exist_ok=True)
            self.settings.save(self.directory / SETTINGS_FILE)
        checkpoint = self.directory / CHECKPOINT_FILE
        if not checkpoint.exists():
            return Position(data.fingerprint)
        position = load_checkpoint(checkpoint, state)
        self._check_data(position.data, data)
        return position

    def save(self, state: State, position: Position) -> None:
        """Write a checkpoint, and the figures of the epochs that are done.

        Raises:
            OSError: They could not be written; the former ones are intact.
        """
        if self.writes:
            rows = "".join(json.dumps(row) + "\n" for row in position.history)
            write_text(self.directory / METRICS_FILE, rows)
            save_checkpoint(self.directory / CHECKPOINT_FILE, state, position)

    def finish(
        self,
        model: nn.Module,
        description: ModelDescription,
        outputs: Mapping[SplitName, Outputs],
        result: RunResult,
    ) -> None:
        """Write what stays of a run; the result comes last, as it says that the run is done.

        Raises:
            OSError: It could not be written; the checkpoint is intact.
        """
        if self.writes:
            save_model(self.directory, model, description)
            for split, kept in outputs.items():
                save_outputs(self.directory / outputs_file(split), kept)
            result.save(self.directory)
            (self.directory / CHECKPOINT_FILE).unlink(missing_ok=True)

    def _check_data(self, fingerprint: str, data: ImageData) -> None:
        if fingerprint != data.fingerprint:
            raise ValueError(
                f"{self.directory} holds a run on other data: since then, images, labels or "
                f"classes of {data.name} have changed. Name another directory with --out."
            )
