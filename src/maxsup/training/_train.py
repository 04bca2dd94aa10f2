"""The training of one model, from its settings to its measured result."""

import hashlib
import json
from pathlib import Path

from accelerate import Accelerator
from accelerate.utils import gather_object

from maxsup._files import write_text
from maxsup._places import as_place
from maxsup.data import ImageData
from maxsup.training._checkpoint import load_checkpoint, save_checkpoint, save_weights
from maxsup.training._epoch import Running, check_finite, train_epoch
from maxsup.training._evaluate import evaluate, quick_figures
from maxsup.training._progress import ProgressReport
from maxsup.training._result import RunResult
from maxsup.training._settings import RunSettings
from maxsup.training._setup import set_up
from maxsup.training._tracking import TrackerName, tracking

SETTINGS_FILE = "settings.json"
METRICS_FILE = "metrics.jsonl"
CHECKPOINT_FILE = "checkpoint.pt"
WEIGHTS_FILE = "model.safetensors"


def train(
    settings: RunSettings,
    data: ImageData,
    directory: Path | str,
    *,
    accelerator: Accelerator,
    progress: ProgressReport,
    tracker: TrackerName | None = None,
) -> RunResult:
    """Train one model, or go on where an earlier call was stopped.

    Leaves in ``directory`` the settings, a line of figures per epoch, a checkpoint (removed at the
    end), the weights and the result. A run that is there already is not trained again.

    Args:
        settings: What to train.
        data: The data that ``settings.data`` names, loaded.
        directory: Where the run is kept, a path or a URL such as ``s3://…``; made if need be.
        accelerator: From :func:`build_accelerator`.
        progress: Shows how far it is.
        tracker: Where each epoch's figures are sent as well; nowhere by default.

    Returns:
        The result, the same whether or not the run was interrupted.

    Raises:
        TrainingDiverged: The loss became infinite or NaN.
        OSError: A file could not be written; the last checkpoint is intact.
        ValueError: The settings do not fit together, ``directory`` holds a run with other settings
            or data, or its checkpoint cannot be read.
    """
    recipe = settings.recipe
    directory = as_place(directory)
    _check_directory(directory, settings)
    finished = RunResult.load(directory)
    if finished is not None:
        _check_data(directory, finished.data, data)
        progress.skip(recipe.epochs)
        return finished
    if accelerator.is_main_process:
        directory.mkdir(parents=True, exist_ok=True)
        settings.save(directory / SETTINGS_FILE)

    setup = set_up(settings, data, accelerator)
    state, batches, normalization = setup.state, setup.batches, setup.normalization
    checkpoint = directory / CHECKPOINT_FILE
    done, digest, running = 0, "", Running()
    if checkpoint.exists():
        facts = load_checkpoint(checkpoint, state)
        _check_data(directory, facts["data"], data)
        done, digest, running = facts["epoch"], facts["batches"], Running(*facts["running"])
    history = _read_history(directory / METRICS_FILE, done)
    average = state.ema if recipe.evaluate_ema else None
    measured = state.model if average is None else average.module

    def save(epoch: int, running: Running) -> None:
        if accelerator.is_main_process:
            _write_history(directory / METRICS_FILE, history)
            facts = {
                "epoch": epoch,
                "running": tuple(running),
                "batches": digest,
                "data": data.fingerprint,
            }
            save_checkpoint(checkpoint, state, facts)

    progress.start_run(
        f"{settings.method}, seed {settings.seed}",
        epochs=recipe.epochs,
        done=done,
        steps=running.step,
    )
    known_corrupt = 0
    with tracking(tracker, settings, directory, accelerator) as send:
        for epoch in range(done, recipe.epochs):
            row = train_epoch(epoch, setup, accelerator, settings, progress, running, save)
            running = Running()
            state.criterion.end_epoch()
            for name, split in (("validation", data.validation), ("test", data.test)):
                if split is not None:
                    row |= quick_figures(
                        name,
                        measured,
                        split,
                        normalization,
                        accelerator,
                        flip=recipe.evaluate_flip,
                    )
            check_finite(row["test_nll"], "the test NLL", settings, epoch)
            history.append({"epoch": epoch + 1} | row)
            digest = hashlib.sha256((digest + batches.digest(epoch)).encode()).hexdigest()
            save(epoch + 1, running)
            progress.end_epoch(epoch + 1, row)
            send(history[-1])
            known_corrupt = _report_corrupt(data, known_corrupt, progress)

    evaluation = evaluate(measured, data, normalization, accelerator, flip=recipe.evaluate_flip)
    result = RunResult(data.fingerprint, setup.initial_weights, digest, history, evaluation)
    if accelerator.is_main_process:
        save_weights(directory / WEIGHTS_FILE, measured)
        result.save(directory)
        checkpoint.unlink(missing_ok=True)
    return result


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
    corrupt = data.train.corrupt
    # Each process has met others; all of them stop where there are too many altogether.
    corrupt.add(gather_object(corrupt.listed()))
    if len(corrupt) > known:
        progress.say(f"{len(corrupt)} images cannot be read and are left out:")
        for image in corrupt.listed():
            progress.say(f"  {image}")
    return len(corrupt)


def _read_history(path: Path, epochs: int) -> list[dict[str, float]]:
    """The rows of the epochs that the checkpoint includes."""
    if epochs == 0:
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines[:epochs]]


def _write_history(path: Path, history: list[dict[str, float]]) -> None:
    write_text(path, "".join(json.dumps(row) + "\n" for row in history))
