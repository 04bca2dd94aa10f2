"""The rooms below, called as the commands call them."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from maxsup import training
from maxsup.data import DataSettings, ImageData
from maxsup.recipes import Recipe
from maxsup.training import RunResult, RunSettings, TrackerName

if TYPE_CHECKING:
    from maxsup.results import Results
    from maxsup.study import RayCluster, StudySettings


@dataclass(frozen=True)
class DryRun(training.DryRun):
    """What two steps of a training showed, and what it would keep."""

    outputs_bytes: int


def resized(data: DataSettings, recipe: Recipe) -> DataSettings:
    """The data settings with the recipe's image size."""
    return replace(data, image_size=recipe.image_size)


def train(settings: RunSettings, directory: Path, *, tracker: TrackerName | None) -> RunResult:
    """Train a model and show how far it is."""
    training.check_tracker(tracker)
    console = Console(stderr=True)
    accelerator = training.build_accelerator(settings.recipe)
    announce = console.print if accelerator.is_main_process else None
    if announce is not None and (text := training.advice(settings.recipe, accelerator)):
        announce(text)
    data = training.load_data(settings.data, settings.recipe, announce)
    with training.ProgressReport(
        console, settings.recipe.epochs, quiet=not accelerator.is_main_process
    ) as progress:
        return training.train(
            settings,
            data,
            directory,
            accelerator=accelerator,
            progress=progress,
            tracker=tracker,
        )


def dry_run(settings: RunSettings, *, data: ImageData) -> DryRun:
    """Take two steps of a training."""
    accelerator = training.build_accelerator(settings.recipe)
    if accelerator.is_main_process and (text := training.advice(settings.recipe, accelerator)):
        Console(stderr=True).print(text)
    found = training.dry_run(settings, data, accelerator=accelerator)
    kept = len(data.test) + (len(data.validation) if data.validation is not None else 0)
    return DryRun(**asdict(found), outputs_bytes=4 * kept * len(data.classes))


def compare(
    settings: "StudySettings",
    directory: Path,
    *,
    command: str,
    on: "RayCluster | None",
    tracker: TrackerName | None,
    plugins: tuple[str, ...],
) -> "Results":
    """Train every method with every seed, and say which differences hold."""
    from maxsup import study

    return study.compare(settings, directory, command=command, on=on, tracker=tracker)
