"""A study's runs, or its trials, on this machine, one after the other."""

from pathlib import Path

from accelerate import Accelerator

from maxsup.study._data import StudyData
from maxsup.study._run import Runs, Trainings, attempt, device_name, failure_in_words, run_name
from maxsup.training import ProgressReport, TrackerName


def run_locally(
    settings: Trainings,
    data: StudyData,
    directory: Path,
    accelerator: Accelerator,
    progress: ProgressReport,
    tracker: TrackerName | None = None,
) -> Runs:
    """Train every method with every seed in this process, or in those that it was launched with.

    Raises:
        OSError, ValueError: What would stop the other runs as well.
    """
    runs = Runs({}, {device_name()})
    for number, (method, seed) in enumerate(settings.plan(), start=1):
        its_directory = settings.run_directory(directory, method, seed)
        run = attempt(
            settings.run(method, seed),
            data.of(seed),
            its_directory,
            accelerator=accelerator,
            progress=progress,
            tracker=tracker,
            name=run_name(method, seed),
        )
        if isinstance(run, str):
            progress.say(failure_in_words(method, seed, run, its_directory))
            progress.advance_to(settings.recipe.epochs * number)
        runs.results[method, seed] = run
    return runs
