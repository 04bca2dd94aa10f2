"""The training of one model, from its settings to its measured result."""

import contextlib
import hashlib
import json
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType, gather_object, set_seed
from timm.layers import convert_sync_batchnorm
from timm.utils import ModelEmaV3
from torch import Tensor, nn

from maxsup._files import write_text
from maxsup._seeds import derive_seed
from maxsup.data import ImageData, Normalization, StoredSplit
from maxsup.methods import Training, build_criterion
from maxsup.models import create_model
from maxsup.recipes import Recipe
from maxsup.training._checkpoint import State, load_checkpoint, save_checkpoint, save_weights
from maxsup.training._data import Batches, build_batches
from maxsup.training._evaluate import evaluate, quick_figures
from maxsup.training._fingerprint import weights_digest
from maxsup.training._optimizer import build_lr_scheduler, build_optimizer
from maxsup.training._progress import ProgressReport
from maxsup.training._result import RunResult
from maxsup.training._settings import RunSettings

SETTINGS_FILE = "settings.json"
METRICS_FILE = "metrics.jsonl"
CHECKPOINT_FILE = "checkpoint.pt"
WEIGHTS_FILE = "model.safetensors"


class Running(NamedTuple):
    """How far an epoch is: sums that go on where a checkpoint was saved in the middle of it."""

    step: int = 0
    """Steps done."""
    loss_sums: tuple[float, ...] = ()
    """Of the images seen, for each process."""
    correct: int = 0
    seen: int = 0
    seconds: float = 0.0
    figures: dict[str, float] = {}  # noqa: RUF012 (never changed)
    """Of the epoch's first step."""


class TrainingDiverged(RuntimeError):
    """The loss, or what the model gives, is no longer a finite number."""


def build_accelerator(recipe: Recipe) -> Accelerator:
    """The processes and devices to train on, as the environment gives them."""
    if torch.cuda.is_available():
        torch.backends.cudnn.benchmark = not recipe.deterministic
        # Read by cuBLAS when it starts; without it its results vary from run to run.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(recipe.deterministic, warn_only=True)
    accelerator = Accelerator(
        mixed_precision="bf16" if recipe.precision == "bf16" else "no",
        # Unless told so, processes on CPUs do not find each other.
        cpu=not torch.accelerator.is_available(),
    )
    if accelerator.distributed_type not in _DATA_PARALLEL:
        raise ValueError(
            f"accelerate is set up for {accelerator.distributed_type.value}. Here every process "
            "holds the whole model, which at these sizes is the fastest way: set it up for data "
            "parallelism (accelerate launch --multi_gpu), or use torchrun."
        )
    return accelerator


_DATA_PARALLEL = (
    DistributedType.NO,
    DistributedType.MULTI_GPU,
    DistributedType.MULTI_CPU,
    DistributedType.MULTI_XPU,
)


def build_model(recipe: Recipe, data: ImageData) -> nn.Module:
    """The recipe's model for the classes and images of ``data``, freshly initialised."""
    channels, height, _ = data.image_shape
    return create_model(
        recipe.model,
        num_classes=len(data.classes),
        in_channels=channels,
        small_stem=recipe.small_stem,
        zero_init=recipe.zero_init,
        blur_pool=recipe.blur_pool,
        drop_path=recipe.drop_path,
        image_size=recipe.image_size if recipe.random_resized_crop else height,
        weights=recipe.weights,
    )


def train(
    settings: RunSettings,
    data: ImageData,
    directory: Path,
    *,
    accelerator: Accelerator,
    progress: ProgressReport,
) -> RunResult:
    """Train one model, or go on where an earlier call was stopped.

    Leaves in ``directory`` the settings, a line of figures per epoch, a checkpoint (removed at the
    end), the weights and the result. A run that is there already is not trained again.

    Args:
        settings: What to train.
        data: The data that ``settings.data`` names, loaded.
        directory: Where the run is kept; made if need be.
        accelerator: From :func:`build_accelerator`.
        progress: Shows how far it is.

    Returns:
        The result, the same whether or not the run was interrupted.

    Raises:
        TrainingDiverged: The loss became infinite or NaN.
        OSError: A file could not be written; the last checkpoint is intact.
        ValueError: The settings do not fit together, ``directory`` holds a run with other settings
            or data, or its checkpoint cannot be read.
    """
    recipe = settings.recipe
    _check_directory(directory, settings)
    finished = RunResult.load(directory)
    if finished is not None:
        _check_data(directory, finished.data, data)
        progress.skip(recipe.epochs)
        return finished
    if accelerator.is_main_process:
        directory.mkdir(parents=True, exist_ok=True)
        settings.save(directory / SETTINGS_FILE)

    normalization = Normalization.of(data.train, channels_last=recipe.channels_last)
    batches = build_batches(
        recipe,
        data,
        normalization,
        seed=settings.seed,
        device=accelerator.device,
        rank=accelerator.process_index,
        processes=accelerator.num_processes,
    )
    set_seed(settings.seed)
    model = build_model(recipe, data)
    if recipe.sync_batchnorm:
        model = _synchronised(model, accelerator)
    if recipe.channels_last:
        model = model.to(memory_format=torch.channels_last)
    initial_weights = weights_digest(model)
    optimizer = build_optimizer(model, recipe)
    lr_scheduler = build_lr_scheduler(optimizer, recipe, batches.steps)
    criterion = build_criterion(
        settings.method,
        Training(
            num_classes=len(data.classes),
            steps=recipe.epochs * batches.steps,
            steps_per_epoch=batches.steps,
        ),
    ).to(accelerator.device)
    if recipe.compile:
        model.compile()
    wrapped, optimizer = accelerator.prepare(model, optimizer)
    ema = ModelEmaV3(model, decay=recipe.ema_decay) if recipe.ema_decay is not None else None
    state = State(model, optimizer, lr_scheduler, criterion, ema)

    checkpoint = directory / CHECKPOINT_FILE
    done, digest, running = 0, "", Running()
    if checkpoint.exists():
        facts = load_checkpoint(checkpoint, state)
        _check_data(directory, facts["data"], data)
        done, digest, running = facts["epoch"], facts["batches"], Running(*facts["running"])
    history = _read_history(directory / METRICS_FILE, done)
    measured = ema.module if ema is not None and recipe.evaluate_ema else model

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
    for epoch in range(done, recipe.epochs):
        row = _train_epoch(
            epoch, batches, wrapped, state, accelerator, settings, progress, running, save
        )
        running = Running()
        criterion.end_epoch()
        for name, split in (("validation", data.validation), ("test", data.test)):
            if split is not None:
                row |= quick_figures(
                    name, measured, split, normalization, accelerator, flip=recipe.evaluate_flip
                )
        _check_finite(row["test_nll"], "the test NLL", settings, epoch)
        history.append({"epoch": epoch + 1} | row)
        digest = hashlib.sha256((digest + batches.digest(epoch)).encode()).hexdigest()
        save(epoch + 1, running)
        progress.end_epoch(epoch + 1, row)
        known_corrupt = _report_corrupt(data, known_corrupt, progress)

    evaluation = evaluate(measured, data, normalization, accelerator, flip=recipe.evaluate_flip)
    result = RunResult(data.fingerprint, initial_weights, digest, history, evaluation)
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


def _synchronised(model: nn.Module, accelerator: Accelerator) -> nn.Module:
    if accelerator.num_processes == 1:
        return model
    if accelerator.device.type == "cpu":
        raise ValueError(
            "torch has no synchronised batch-norm for CPUs: add --no-sync-batchnorm to train "
            f"with {accelerator.num_processes} processes here."
        )
    synchronised: nn.Module = convert_sync_batchnorm(model)
    return synchronised


def _report_corrupt(data: ImageData, known: int, progress: ProgressReport) -> int:
    """Say which photographs were left out since the last time; how many there are by now."""
    if not isinstance(data.train, StoredSplit):
        return 0
    corrupt = data.train.corrupt
    # Each process has met others; all of them stop where there are too many altogether.
    corrupt.add(gather_object(corrupt.listed()))
    if len(corrupt) > known:
        progress.say(f"{len(corrupt)} images cannot be read and are left out:")
        for image in corrupt.listed():
            progress.say(f"  {image}")
    return len(corrupt)


def _train_epoch(
    epoch: int,
    batches: Batches,
    model: nn.Module,
    state: State,
    accelerator: Accelerator,
    settings: RunSettings,
    progress: ProgressReport,
    running: Running,
    save: Callable[[int, Running], None],
) -> dict[str, float]:
    """One pass over the training data, or the rest of it; the epoch's figures."""
    recipe = settings.recipe
    rank, processes = accelerator.process_index, accelerator.num_processes
    figures = running.figures or {
        "lr": float(state.lr_scheduler.get_last_lr()[0]),
        **state.criterion.strengths(),
    }
    own = _own_sum(running, rank, processes)
    loss_sum = torch.tensor(own, dtype=torch.float64, device=accelerator.device)
    correct = torch.tensor(running.correct if rank == 0 else 0, device=accelerator.device)
    seen = running.seen if rank == 0 else 0
    model.train()
    progress.start_epoch(batches.steps, done=running.step)
    start = time.perf_counter() - running.seconds

    def totals(step: int) -> Running:
        loss_sums = accelerator.gather(loss_sum.unsqueeze(0)).tolist()
        counts = torch.stack([correct, torch.tensor(seen, device=accelerator.device)])
        all_correct, all_seen = accelerator.reduce(counts).tolist()
        seconds = time.perf_counter() - start
        return Running(step, tuple(loss_sums), all_correct, all_seen, seconds, figures)

    for step, (images, target) in enumerate(batches.epoch(epoch, running.step), running.step + 1):
        # What the model draws itself (dropout and the like) is a function of the place too.
        torch.manual_seed(derive_seed(settings.seed, "model", epoch, step, rank))
        parts = list(
            zip(images.chunk(recipe.accumulate), target.chunk(recipe.accumulate), strict=True)
        )
        for part, (part_images, part_target) in enumerate(parts, start=1):
            # Processes exchange gradients once a step, not once a part.
            with contextlib.nullcontext() if part == len(parts) else accelerator.no_sync(model):
                logits = model(part_images)
                loss = state.criterion(logits, part_target)
                accelerator.backward(loss / len(parts))
            loss_sum += loss.detach() * len(part_images)
            correct += _count_correct(logits.detach(), part_target)
        if recipe.clip_norm is not None:
            accelerator.clip_grad_norm_(model.parameters(), recipe.clip_norm)
        state.optimizer.step()
        state.optimizer.zero_grad()
        state.lr_scheduler.step()
        state.criterion.step()
        if state.ema is not None:
            state.ema.update(state.model)
        seen += len(images)
        progress.step(len(images) * processes)
        if progress.wants_figures():
            loss_now = loss_sum.item() / seen
            _check_finite(loss_now, "the loss", settings, epoch)
            progress.figures(epoch + 1, step, batches.steps, loss_now, correct.item() / seen)
        if recipe.checkpoint_steps and step % recipe.checkpoint_steps == 0 < batches.steps - step:
            save(epoch, totals(step))

    whole = totals(batches.steps)
    mean_loss = sum(whole.loss_sums) / whole.seen
    _check_finite(mean_loss, "the loss", settings, epoch)
    row = figures | {"train_loss": mean_loss, "train_accuracy": whole.correct / whole.seen}
    left_out = batches.steps * recipe.batch_size - whole.seen
    if left_out:
        row["images_left_out"] = left_out
    return row | {"seconds": whole.seconds, "images_per_second": whole.seen / whole.seconds}


def _own_sum(running: Running, rank: int, processes: int) -> float:
    """What this process goes on from; with another number of processes, the first has it all."""
    if len(running.loss_sums) == processes:
        return running.loss_sums[rank]
    return sum(running.loss_sums) if rank == 0 else 0.0


def _count_correct(logits: Tensor, target: Tensor) -> Tensor:
    """How often the prediction is the label, or the larger part of a mixed target."""
    labels = target.argmax(dim=1) if target.is_floating_point() else target
    return (logits.argmax(dim=1) == labels).sum()


def _check_finite(value: float, what: str, settings: RunSettings, epoch: int) -> None:
    if not math.isfinite(value):
        raise TrainingDiverged(
            f"{what} became {value} in epoch {epoch + 1} of {settings.recipe.epochs}; a lower "
            "--lr, a --clip-norm or a longer --warmup-epochs may keep it finite"
        )


def _read_history(path: Path, epochs: int) -> list[dict[str, float]]:
    """The rows of the epochs that the checkpoint includes."""
    if epochs == 0:
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines[:epochs]]


def _write_history(path: Path, history: list[dict[str, float]]) -> None:
    write_text(path, "".join(json.dumps(row) + "\n" for row in history))
