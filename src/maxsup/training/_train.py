"""The training of one model, from its settings to its measured result."""

from collections.abc import Callable
from pathlib import Path

from accelerate import Accelerator

from maxsup._trackers import TrackerName
from maxsup.training._accelerator import build_accelerator
from maxsup.training._announced import load_announced
from maxsup.training._corrupt import report_corrupt
from maxsup.training._data import AnyData
from maxsup.training._diverged import check_finite, diverging
from maxsup.training._epoch import train_epoch
from maxsup.training._position import Position
from maxsup.training._progress import ProgressReport, reporting
from maxsup.training._result import RunResult
from maxsup.training._run_files import RunFiles
from maxsup.training._settings import RunSettings
from maxsup.training._setup import Setup, set_up
from maxsup.training._tracking import check_tracker, tracking


def train(
    settings: RunSettings,
    directory: Path | str | None = None,
    *,
    data: AnyData | None = None,
    accelerator: Accelerator | None = None,
    progress: ProgressReport | None = None,
    tracker: TrackerName | None = None,
    on_checkpoint: Callable[[Position], None] | None = None,
    name: str | None = None,
) -> RunResult:
    """Train one model, or go on where an earlier call was stopped.

    Leaves in ``directory`` the settings, a line of figures per epoch, a checkpoint (removed at the
    end), the weights with what a stranger needs to use them (see :func:`maxsup.models.load_run`),
    the outputs on the validation and test sets, and the result. A run that is there already is not
    trained again.

    Args:
        settings: What to train.
        directory: Where the run is kept, a path or a URL such as ``s3://…``; made if need be. By
            default ``runs/RECIPE/METHOD/seed-SEED``.
        data: The data that ``settings.data`` names, where it has been loaded already.
        accelerator: From :func:`build_accelerator`, where there is one already.
        progress: Shows how far it is; by default it is shown on standard error.
        tracker: Where each epoch's figures are sent as well; nowhere by default.
        on_checkpoint: Is called whenever a checkpoint has been saved, with the position that it
            holds; of several processes in each. An error that it raises stops the training there.
        name: What it is called where its progress is shown; by default its method and seed.

    Returns:
        The result, the same whether or not the run was interrupted.

    Raises:
        TrainingDiverged: The loss became infinite or NaN.
        OSError: A file could not be written; the last checkpoint is intact. Or the directory was
            removed meanwhile.
        ValueError: The settings do not fit together, ``directory`` holds a run with other settings
            or data or files that are no run, or another process is training there.

    Example:
        >>> import dataclasses, tempfile
        >>> from maxsup.data import DataSettings
        >>> from maxsup.recipes import get_recipe
        >>> recipe = dataclasses.replace(get_recipe("digits"), epochs=1)
        >>> settings = RunSettings("maxsup", 0, recipe, DataSettings("digits"))
        >>> result = train(settings, tempfile.mkdtemp())
        >>> len(result.history), result.values["test_accuracy"] > 0.2
        (1, True)
    """
    recipe = settings.recipe
    check_tracker(tracker)
    accelerator = accelerator or build_accelerator(recipe)
    is_main = accelerator.is_main_process
    with reporting(progress, recipe.epochs, quiet=not is_main) as progress:
        files = RunFiles(settings, directory, writes=is_main, say=progress.say)
        is_alone = data is None
        if data is None:
            data = load_announced(settings, accelerator, progress.say)
        finished = files.finished(data)
        if finished is not None:
            progress.skip(recipe.epochs)
            return finished

        setup = set_up(settings, data, accelerator)
        # A study says it once.
        for note in setup.notes if is_alone and is_main else ():
            progress.say(f"Weights: {note}")
        # All is checked; from here on, the directory is written to.
        with files.hold():
            # Another process may have ended meanwhile what it was training there.
            finished = files.finished(data)
            if finished is not None:
                progress.skip(recipe.epochs)
                return finished
            return _train(
                settings,
                data,
                setup,
                files,
                accelerator,
                progress,
                tracker,
                on_checkpoint,
                name or f"{settings.method}, seed {settings.seed}",
            )


def _train(
    settings: RunSettings,
    data: AnyData,
    setup: Setup,
    files: RunFiles,
    accelerator: Accelerator,
    progress: ProgressReport,
    tracker: TrackerName | None,
    on_checkpoint: Callable[[Position], None] | None,
    name: str,
) -> RunResult:
    """Train what is set up, from wherever its files say that it is."""
    recipe, task = settings.recipe, setup.task
    position = files.begin(setup.state, data)
    evaluator = task.evaluator(
        setup.measured(recipe), setup.normalization, data, accelerator, recipe, settings.measured_on
    )

    def save(reached: Position) -> None:
        files.save(setup.state, reached)
        if on_checkpoint is not None:
            accelerator.wait_for_everyone()
            on_checkpoint(reached)

    progress.start_run(name, epochs=recipe.epochs, done=position.epoch, steps=position.sums.step)
    with tracking(tracker, settings, files.directory, accelerator) as send:
        while position.epoch < recipe.epochs:
            figures = train_epoch(
                position, setup, accelerator, settings, progress, save, files.check_held
            )
            setup.state.criterion.end_epoch()
            with diverging(settings, position.epoch):
                figures |= evaluator.after_epoch()
            part = settings.measured_on
            if (measure := task.finite) is not None:
                value = figures[measure.name_on(part)]
                check_finite(value, f"the {part} {measure.label}", settings, position.epoch)
            digest = setup.batches.digest(position.epoch)
            position = position.after_epoch(digest, figures)
            files.keep_epoch(evaluator.model, position.epoch)
            save(position)
            progress.end_epoch(position.epoch, figures)
            send(position.history[-1])
            report_corrupt(data, progress)

    found, outputs = evaluator.at_the_end(keep_outputs=recipe.keep_outputs, say=progress.say)
    result = RunResult(
        data=data.fingerprint,
        initial_weights=setup.initial_weights,
        batches=position.batches,
        history=[dict(row) for row in position.history],
        evaluation=found,
        settings=settings.fingerprint(),
    )
    files.finish(evaluator.model, setup.description, outputs, result)
    if note := task.remark(result.values, data):
        progress.say(f"{name} {note}.")
    return result
