"""A study's runs on this machine, one after the other."""

from pathlib import Path

from maxsup.data import ImageData
from maxsup.study._run import attempt, run_name
from maxsup.study._settings import StudySettings
from maxsup.training import ProgressReport, RunResult, build_accelerator


def run_locally(
    settings: StudySettings, data: ImageData, directory: Path, progress: ProgressReport
) -> dict[tuple[str, int], RunResult | str]:
    """Train every method with every seed in this process, or in those that it was launched with.

    Returns:
        By method and seed: the result, or the cause of its failure.

    Raises:
        OSError, ValueError: What would stop the other runs as well.
    """
    accelerator = build_accelerator(settings.recipe)
    runs: dict[tuple[str, int], RunResult | str] = {}
    for number, (method, seed) in enumerate(settings.plan(), start=1):
        place = settings.run_directory(directory, method, seed)
        run = attempt(
            settings.run(method, seed), data, place, accelerator=accelerator, progress=progress
        )
        if isinstance(run, str):
            progress.say(f"{run_name(method, seed)} failed: {run}")
            progress.advance_to(settings.recipe.epochs * number)
        runs[method, seed] = run
    return runs
