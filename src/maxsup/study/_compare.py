"""Every method with every seed, and what came of it."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from maxsup._console import console as new_console
from maxsup._lock import check_free, hold
from maxsup._places import as_place
from maxsup.data import ImageData
from maxsup.results import Results, schema, shown, write_results
from maxsup.study._backbones import check_backbones, notes_on_architectures, notes_on_backbones
from maxsup.study._call import python_call
from maxsup.study._data import StudyData, load_study_data
from maxsup.study._gather import gather
from maxsup.study._kept import kept_runs
from maxsup.study._local import run_locally
from maxsup.study._ray import RayCluster, check_alone, run_on_ray
from maxsup.study._run import Runs, Trainings
from maxsup.study._settings import STUDY_FILE, StudySettings
from maxsup.study._teachers import check_teachers, notes_on_teachers
from maxsup.study._trials import Trials, at_chosen
from maxsup.training import (
    ProgressReport,
    TrackerName,
    build_accelerator,
    check_setup,
    check_tracker,
    load_labelled,
    notes_on_weights,
)


def compare(
    settings: StudySettings,
    directory: Path | str | None = None,
    *,
    command: str | None = None,
    console: Console | None = None,
    on: RayCluster | None = None,
    tracker: TrackerName | None = None,
    plugins: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> Results:
    """Train every method with every seed on the same data, and say which differences hold.

    Where the settings say so, each method's strength is chosen first, by trials on a validation
    part of the training set; see :class:`TuningSettings`. The test set is not looked at before.

    Each finished epoch is kept, so that a study that was stopped in whatever way goes on with the
    same call and ends with the same results. A run that fails is noted with its cause, and the
    others go on; it is tried again by the next call.

    Args:
        settings: What to compare.
        directory: Where the study is kept, a path or a URL such as ``s3://…``: its settings,
            ``METHOD/seed-N/`` for each run (``maxsup-alpha-0.1/seed-N/`` where coefficients are
            set), ``tuning/METHOD/seed-N/`` for each trial, and the ``results.json``,
            ``results.csv`` and ``summary.csv`` that this writes. By default ``runs/`` and the name
            of the data.
        command: The command that repeats the study, noted in the results; by default this call.
        console: Where progress is shown; standard error by default.
        on: Where to train, several runs at once; all its nodes must reach the directory under the
            same name. By default here, one run after the other. The results are the same.
        tracker: Where each epoch's figures are sent as well; nowhere by default.
        plugins: Modules or files that define methods of the study, for nodes of a cluster to load
            as well; see :func:`maxsup.methods.load_plugin`.
        notes: What else a reader of the page should know, in sentences, such as how the recipe was
            chosen (:func:`maxsup.training.choose_recipe`).

    Returns:
        What was written to ``results.json``; a notebook shows it as a table. Methods and seeds
        that earlier calls have finished there stand in it too.

    Raises:
        ValueError: The settings do not fit the data, the directory holds another study or files
            that are no study, or another process is writing to it.
        OSError: A file could not be written, a node does not see the study's directory, or that
            was removed meanwhile.
        ModuleNotFoundError: The study is to run on Ray, which is not installed.
    """
    directory = as_place(settings.default_directory() if directory is None else directory)
    console = console or new_console(stderr=True)
    check_tracker(tracker)
    if on is not None:
        check_alone()
    accelerator = build_accelerator(settings.recipe)
    is_main = accelerator.is_main_process
    with ProgressReport(console, _epochs(settings), quiet=not is_main) as progress:
        if is_main:
            check_free(directory, progress.say)
            settings.check(directory)
        settings = settings.with_kept_backbones(directory)
        data = load_study_data(settings, accelerator, progress.say)
        # All runs have the same recipe, and data of the same kind.
        first = settings.run(*settings.plan()[0])
        fit = (
            check_backbones(settings, data.first)
            if settings.backbones
            else notes_on_weights(first.recipe, data.first)
        )
        on_weights = [f"Weights: {note}" for note in fit]
        on_weights += notes_on_backbones(settings.found_backbones)
        if settings.backbones:
            on_weights += notes_on_architectures(settings)
        labelled = data.first if isinstance(data.first, ImageData) else None
        if labelled is not None:
            check_teachers(settings, labelled)
        on_teachers = notes_on_teachers(settings)
        for note in [*on_weights, *on_teachers] if is_main else ():
            progress.say(note)
        if on is None and not (directory / STUDY_FILE).exists():
            check_setup(first, data.first, accelerator)
        trials = None if labelled is None else Trials.of(settings, labelled)
        tried_on = data
        if trials is not None and trials.held_out:
            progress.say(_held_out(trials))
            labelled = load_labelled(trials.data, settings.recipe)
            tried_on = StudyData(settings, labelled)
        # All is checked; from here on, the directory is written to.
        with hold(directory, progress.say) if is_main else contextlib.nullcontext() as held:
            if held is not None:
                settings.claim(directory)

            def train_all(trainings: Trainings, data: StudyData) -> Runs:
                progress.start_part(trainings.recipe.epochs * len(trainings.plan()))
                if on is None:
                    return run_locally(trainings, data, directory, accelerator, progress, tracker)
                assert held is not None
                return run_on_ray(on, trainings, data, held, progress, tracker, tuple(plugins))

            call = command or python_call(settings, directory, tuple(plugins))
            tuning, devices = None, set[str]()
            if trials is not None and labelled is not None:
                tried = train_all(trials, tried_on)
                devices |= tried.devices
                tuning = trials.choose(tried.results, labelled)
                for sentence in _chosen(tuning):
                    progress.say(sentence)
                settings = at_chosen(settings, tuning)
            runs = train_all(settings, data)
            devices |= runs.devices
            kept = kept_runs(settings, data, directory, runs.results)
            results = gather(
                settings,
                data,
                runs.results,
                directory,
                call,
                devices,
                accelerator,
                kept=kept,
                tuning=tuning,
                notes=(*notes, *on_weights, *on_teachers),
            )
            if held is not None:
                held.check_now()
                write_results(results, directory)
    return shown(results)


def _epochs(settings: StudySettings) -> int:
    """The epochs of all trainings, as far as they are known beforehand."""
    trials = Trials.of(settings)
    first = settings if trials is None else trials
    return settings.recipe.epochs * len(first.plan())


def _held_out(trials: Trials) -> str:
    return (
        f"Tuning: {100 * trials.data.validation:g} % of the training images are held out to choose "
        "by; the study itself trains on all of them."
    )


def _chosen(tuning: schema.Tuning) -> list[str]:
    """What was chosen, method by method, in sentences."""
    found = []
    for each in tuning["methods"]:
        name, chosen = each["method"], each["chosen"]
        if chosen is None:
            found.append(f"Tuning: {name} stays as it is, as no trial of it came to an end")
        elif chosen == name:
            found.append(f"Tuning: {name} stays as it is, the best of {len(each['trials'])} trials")
        else:
            found.append(f"Tuning: {name} → {chosen}, the best of {len(each['trials'])} trials")
    return found
