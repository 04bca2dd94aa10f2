"""One run of a study, wherever it takes place."""

import traceback
from pathlib import Path
from typing import NamedTuple, Protocol

import torch
from accelerate import Accelerator

from maxsup._files import write_text
from maxsup._plugin_lines import line_in_plugins
from maxsup.recipes import Recipe
from maxsup.training import (
    FAILURE_FILE,
    AnyData,
    ProgressReport,
    RunResult,
    RunSettings,
    TrackerName,
    cause_of,
    train,
)


class Trainings(Protocol):
    """Several trainings on the same data: a study, or its trials."""

    @property
    def recipe(self) -> Recipe:
        """How they are trained, but for the learning rate."""
        ...

    def plan(self) -> list[tuple[str, int]]:
        """Method and seed of each, in the order to train them."""
        ...

    def run(self, method: str, seed: int) -> RunSettings:
        """The settings of one."""
        ...

    def run_directory(self, directory: Path, method: str, seed: int) -> Path:
        """Where one is kept within the study's directory."""
        ...


class Runs(NamedTuple):
    """What came of a study's runs."""

    results: dict[tuple[str, int], RunResult | str]
    """By method and seed: the result, or the cause of its failure."""
    devices: set[str]
    """What they were trained on, as :func:`device_name` has it."""


def run_name(method: str, seed: int) -> str:
    """What a run is called in messages.

    >>> run_name("maxsup", 3)
    'maxsup, seed 3'
    """
    return f"{method}, seed {seed}"


def device_name() -> str:
    """What this process trains on."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    return f"{device}, {torch.get_num_threads()} CPU threads"


def attempt(
    settings: RunSettings,
    data: AnyData,
    directory: Path,
    *,
    accelerator: Accelerator,
    progress: ProgressReport,
    tracker: TrackerName | None = None,
    name: str | None = None,
) -> RunResult | str:
    """Train one model; when that fails, the cause, which is noted in ``directory`` as well.

    Raises:
        OSError, ValueError: A full disk, or settings that do not fit: the study's next run would
            end no better. One that came through a plug-in is this method's own failure.
    """
    try:
        result = train(
            settings,
            directory,
            data=data,
            accelerator=accelerator,
            progress=progress,
            tracker=tracker,
            name=name,
        )
    except Exception as error:
        if isinstance(error, OSError | ValueError) and line_in_plugins(error) is None:
            raise
        cause = cause_of(error)
        note_failure(directory, traceback.format_exc())
        return cause
    finally:
        accelerator.free_memory()
    (directory / FAILURE_FILE).unlink(missing_ok=True)
    return result


def failure_in_words(method: str, seed: int, cause: str, directory: Path) -> str:
    """That a run failed, why, and where its trace lies.

    >>> failure_in_words("maxsup", 0, "KeyError: 'x'", Path("runs/maxsup/seed-0"))
    "maxsup, seed 0 failed: KeyError: 'x'; traceback: runs/maxsup/seed-0/failure.txt"
    """
    return f"{run_name(method, seed)} failed: {cause}; traceback: {directory / FAILURE_FILE}"


def note_failure(directory: Path, trace: str) -> None:
    """Leave a failure's trace in the run's directory."""
    directory.mkdir(parents=True, exist_ok=True)
    write_text(directory / FAILURE_FILE, trace)
