"""The training of one model, from its settings to its measured result."""

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from accelerate import Accelerator
from accelerate.utils import gather_object
from rich.console import Console

from maxsup._files import write_text
from maxsup._places import as_place
from maxsup.data import ImageData, Split
from maxsup.evaluation import outputs_file, save_outputs
from maxsup.models import save_model
from maxsup.training._accelerator import advice, build_accelerator, execution_of
from maxsup.training._checkpoint import load_checkpoint, save_checkpoint
from maxsup.training._data import load_data
from maxsup.training._epoch import check_finite, train_epoch
from maxsup.training._evaluate import Evaluator
from maxsup.training._position import EpochSums, Position
from maxsup.training._progress import ProgressReport
from maxsup.training._result import RunResult
from maxsup.training._settings import RunSettings
from maxsup.training._setup import describe_model, set_up
from maxsup.training._tracking import TrackerName, check_tracker, tracking

SETTINGS_FILE = "settings.json"
METRICS_FILE = "metrics.jsonl"
CHECKPOINT_FILE = "checkpoint.pt"


def train(
    settings: RunSettings,
    directory: Path | str | None = None,
    *,
    data: ImageData | None = None,
    accelerator: Accelerator | None = None,
    progress: ProgressReport | None = None,
    tracker: TrackerName | None = None,
    on_checkpoint: Callable[[Position], None] | None = None,
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
        on_checkpoint: Is called in the first process whenever a checkpoint has been saved, with
            the position that it holds. An error that it raises stops the training there.

    Returns:
        The result, the same whether or not the run was interrupted.

    Raises:
        TrainingDiverged: The loss became infinite or NaN.
        OSError: A file could not be written; the last checkpoint is intact.
        ValueError: The settings do not fit together, ``directory`` holds a run with other settings
            or data, or its checkpoint cannot be read.
    """
    recipe = settings.recipe
    directory = as_place(settings.default_directory() if directory is None else directory)
    _check_directory(directory, settings)
    check_tracker(tracker)
    accelerator = accelerator or build_accelerator(recipe)
    if data is None:
        data = load_announced(settings, accelerator, Console(stderr=True))
    with _shown(progress, settings, accelerator) as progress:
        finished = RunResult.load(directory)
        if finished is not None:
            _check_data(directory, finished.data, data)
            progress.skip(recipe.epochs)
            return finished
        if accelerator.is_main_process:
            directory.mkdir(parents=True, exist_ok=True)
            settings.save(directory / SETTINGS_FILE)

        setup = set_up(settings, data, accelerator)
        state, batches = setup.state, setup.batches
        checkpoint = directory / CHECKPOINT_FILE
        position = Position(data.fingerprint)
        if checkpoint.exists():
            position = load_checkpoint(checkpoint, state)
            _check_data(directory, position.data, data)
        evaluator = Evaluator(
            state.ema.module if state.ema is not None and recipe.evaluate_ema else state.model,
            data,
            setup.normalization,
            execution_of(accelerator),
            flip=recipe.evaluate_flip,
        )

        def save(reached: Position) -> None:
            if accelerator.is_main_process:
                _write_history(directory / METRICS_FILE, reached.history)
                save_checkpoint(checkpoint, state, reached)
                if on_checkpoint is not None:
                    on_checkpoint(reached)

        progress.start_run(
            f"{settings.method}, seed {settings.seed}",
            epochs=recipe.epochs,
            done=position.epoch,
            steps=position.sums.step,
        )
        known_corrupt = 0
        with tracking(tracker, settings, directory, accelerator) as send:
            for epoch in range(position.epoch, recipe.epochs):

                def save_within(sums: EpochSums, position: Position = position) -> None:
                    save(position.within_epoch(sums))

                figures = train_epoch(
                    epoch, setup, accelerator, settings, progress, position.sums, save_within
                )
                state.criterion.end_epoch()
                figures |= evaluator.after_epoch()
                check_finite(figures["test_nll"], "the test NLL", settings, epoch)
                chained = position.batches + batches.digest(epoch)
                digest = hashlib.sha256(chained.encode()).hexdigest()
                position = position.after_epoch(digest, figures)
                save(position)
                progress.end_epoch(position.epoch, figures)
                send(position.history[-1])
                known_corrupt = _report_corrupt(data, known_corrupt, progress)

        found, outputs = evaluator.at_the_end(keep_outputs=recipe.keep_outputs)
        history = [dict(row) for row in position.history]
        result = RunResult(
            data.fingerprint, setup.initial_weights, position.batches, history, found
        )
        if accelerator.is_main_process:
            description = describe_model(recipe, data, setup.normalization)
            save_model(directory, evaluator.model, description)
            for split, kept in outputs.items():
                save_outputs(directory / outputs_file(split), kept)
            result.save(directory)
            checkpoint.unlink(missing_ok=True)
    return result


def load_announced(settings: RunSettings, accelerator: Accelerator, console: Console) -> ImageData:
    """Load a run's data; the first process says what is going on, and what would be faster.

    Raises:
        ValueError: The data cannot be used as asked; the message says how to mend it.
    """
    if not accelerator.is_main_process:
        return load_data(settings.data, settings.recipe)
    if text := advice(settings.recipe, accelerator):
        console.print(text)
    return load_data(settings.data, settings.recipe, console.print)


@contextlib.contextmanager
def _shown(
    progress: ProgressReport | None, settings: RunSettings, accelerator: Accelerator
) -> Iterator[ProgressReport]:
    """The progress report of the caller, or one for this training."""
    if progress is not None:
        yield progress
        return
    quiet = not accelerator.is_main_process
    with ProgressReport(Console(stderr=True), settings.recipe.epochs, quiet=quiet) as own:
        yield own


def _check_directory(directory: Path, settings: RunSettings) -> None:
    path = directory / SETTINGS_FILE
    if path.exists() and RunSettings.load(path) != settings:
        raise ValueError(
            f"{directory} holds a run with other settings. Name another directory with --out."
        )


def _check_data(directory: Path, fingerprint: str, data: ImageData) -> None:
    if fingerprint != data.fingerprint:
        raise ValueError(
            f"{directory} holds a run on other data: since then, images, labels or classes of "
            f"{data.name} have changed. Name another directory with --out."
        )


def _report_corrupt(data: ImageData, known: int, progress: ProgressReport) -> int:
    """Say which photographs were left out since the last time; how many there are by now."""
    if isinstance(data.train, Split):
        return 0
    corrupt = data.train.corrupt
    # Each process has met others; all of them stop where there are too many altogether.
    corrupt.add(gather_object(corrupt.listed()))
    if len(corrupt) > known:
        progress.say(f"{len(corrupt)} images cannot be read and are left out:")
        for image in corrupt.listed():
            progress.say(f"  {image}")
    return len(corrupt)


def _write_history(path: Path, history: Sequence[Mapping[str, float]]) -> None:
    """Write the figures of each epoch, a line of JSON for each, for people and programs to read."""
    write_text(path, "".join(json.dumps(row) + "\n" for row in history))
