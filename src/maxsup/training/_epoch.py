"""An epoch of training, step by step."""

import contextlib
import math
import time
from collections.abc import Callable

import torch
from accelerate import Accelerator
from torch import Tensor

from maxsup._seeds import derive_seed
from maxsup.training._position import EpochSums
from maxsup.training._progress import ProgressReport
from maxsup.training._settings import RunSettings
from maxsup.training._setup import Setup


class TrainingDiverged(RuntimeError):
    """The loss, or what the model gives, is no longer a finite number."""


def train_epoch(
    epoch: int,
    setup: Setup,
    accelerator: Accelerator,
    settings: RunSettings,
    progress: ProgressReport,
    sums: EpochSums,
    save: Callable[[EpochSums], None],
) -> dict[str, float]:
    """One pass over the training data, or the rest of it.

    Args:
        epoch: Counted from 0.
        setup: What is trained, and on what.
        accelerator: Of the process.
        settings: Of the run.
        progress: Is told of every step.
        sums: How far the epoch is.
        save: Is called, in all processes, where a checkpoint is due.

    Returns:
        The epoch's figures.

    Raises:
        TrainingDiverged: The loss became infinite or NaN.
    """
    recipe, state, batches = settings.recipe, setup.state, setup.batches
    rank, processes = accelerator.process_index, accelerator.num_processes
    figures = sums.figures or {
        "lr": float(state.lr_scheduler.get_last_lr()[0]),
        **state.criterion.strengths(),
    }
    own_loss = sums.loss_of(rank, processes)
    loss_sum = torch.tensor(own_loss, dtype=torch.float64, device=accelerator.device)
    correct = torch.tensor(sums.correct if rank == 0 else 0, device=accelerator.device)
    seen = sums.seen if rank == 0 else 0
    setup.wrapped.train()
    progress.start_epoch(batches.steps, done=sums.step)
    start = time.perf_counter() - sums.seconds

    def totals(step: int) -> EpochSums:
        loss_sums = accelerator.gather(loss_sum.unsqueeze(0)).tolist()
        counts = torch.stack([correct, torch.tensor(seen, device=accelerator.device)])
        all_correct, all_seen = accelerator.reduce(counts).tolist()
        seconds = time.perf_counter() - start
        return EpochSums(step, tuple(loss_sums), all_correct, all_seen, seconds, figures)

    for step, (images, target) in enumerate(batches.epoch(epoch, sums.step), sums.step + 1):
        loss_now, correct_now = train_step(
            setup, accelerator, settings, epoch, step, images, target
        )
        loss_sum += loss_now
        correct += correct_now
        seen += len(images)
        progress.step(len(images) * processes)
        if progress.wants_figures():
            mean = loss_sum.item() / seen
            check_finite(mean, "the loss", settings, epoch)
            progress.figures(epoch + 1, step, batches.steps, mean, correct.item() / seen)
        if recipe.checkpoint_steps and step % recipe.checkpoint_steps == 0 < batches.steps - step:
            save(totals(step))

    whole = totals(batches.steps)
    mean_loss = sum(whole.loss) / whole.seen
    check_finite(mean_loss, "the loss", settings, epoch)
    row = {
        **figures,
        "train_loss": mean_loss,
        "train_accuracy": whole.correct / whole.seen,
    }
    left_out = batches.steps * recipe.batch_size - whole.seen
    if left_out:
        row["images_left_out"] = left_out
    return row | {"seconds": whole.seconds, "images_per_second": whole.seen / whole.seconds}


def train_step(
    setup: Setup,
    accelerator: Accelerator,
    settings: RunSettings,
    epoch: int,
    step: int,
    images: Tensor,
    target: Tensor,
) -> tuple[Tensor, Tensor]:
    """One step of the optimiser.

    Returns:
        The sum of the images' losses, and how many predictions are right; still on the device.
    """
    recipe, state, model = settings.recipe, setup.state, setup.wrapped
    # What the model draws itself (dropout and the like): a stream for each step and process.
    torch.manual_seed(derive_seed(settings.seed, "model", epoch, step, accelerator.process_index))
    loss_sum = torch.zeros((), dtype=torch.float64, device=accelerator.device)
    correct = torch.zeros((), dtype=torch.int64, device=accelerator.device)
    parts = list(zip(images.chunk(recipe.accumulate), target.chunk(recipe.accumulate), strict=True))
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
    return loss_sum, correct


def _count_correct(logits: Tensor, target: Tensor) -> Tensor:
    """How often the prediction is the label, or the larger part of a mixed target."""
    labels = target.argmax(dim=1) if target.is_floating_point() else target
    return (logits.argmax(dim=1) == labels).sum()


def check_finite(value: float, what: str, settings: RunSettings, epoch: int) -> None:
    """See that a training still makes sense.

    Raises:
        TrainingDiverged: The value is infinite or NaN.
    """
    if not math.isfinite(value):
        raise TrainingDiverged(
            f"{what} became {value} in epoch {epoch + 1} of {settings.recipe.epochs}; a lower "
            "--lr, a --clip-norm or a longer --warmup-epochs may keep it finite"
        )
