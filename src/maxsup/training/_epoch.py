"""An epoch of training, step by step."""

import time
from collections.abc import Callable

import torch
from accelerate import Accelerator

from maxsup._interrupts import check_interrupted
from maxsup.training._diverged import check_finite
from maxsup.training._mechanism import SUMS
from maxsup.training._position import EpochSums, Position
from maxsup.training._progress import ProgressReport
from maxsup.training._settings import RunSettings
from maxsup.training._setup import Setup
from maxsup.training._step import train_step


def train_epoch(
    position: Position,
    setup: Setup,
    accelerator: Accelerator,
    settings: RunSettings,
    progress: ProgressReport,
    save: Callable[[Position], None],
    check: Callable[[], None],
) -> dict[str, float]:
    """One pass over the training data, or the rest of it.

    Args:
        position: How far the training is.
        setup: What is trained, and on what.
        accelerator: The processes that train.
        settings: The run's settings.
        progress: Is told of every step.
        save: Is called, in all processes, where a checkpoint is due.
        check: Is called after each step; an error that it raises stops the training.

    Returns:
        The epoch's figures.

    Raises:
        TrainingDiverged: The loss became infinite or NaN.
    """
    recipe, state, batches = settings.recipe, setup.state, setup.batches
    epoch, sums = position.epoch, position.sums
    rank, processes = accelerator.process_index, accelerator.num_processes
    figures = sums.figures or {
        "lr": float(state.lr_scheduler.get_last_lr()[0]),
        **state.criterion.coefficients(),
    }
    own = torch.tensor(sums.of_process(rank, processes), dtype=torch.float64)
    loss_sum, mechanism = own.to(accelerator.device).split((1, SUMS))
    labels = [sums.correct, sums.counted] if rank == 0 else [0, 0]
    correct, counted = torch.tensor(labels, device=accelerator.device)
    seen = sums.seen if rank == 0 else 0
    setup.wrapped.train()
    progress.start_epoch(batches.steps, done=sums.step)
    start = time.perf_counter() - sums.seconds

    def totals(step: int) -> EpochSums:
        rows = accelerator.gather(torch.cat((loss_sum, mechanism)).unsqueeze(0)).tolist()
        counts = torch.stack([correct, counted, torch.tensor(seen, device=accelerator.device)])
        all_correct, all_counted, all_seen = accelerator.reduce(counts).tolist()
        seconds = time.perf_counter() - start
        return EpochSums(
            step,
            tuple(loss for loss, *_ in rows),
            tuple(tuple(more) for _, *more in rows),
            all_correct,
            all_counted,
            all_seen,
            seconds,
            figures,
        )

    for step, (images, target) in enumerate(batches.epoch(epoch, sums.step), sums.step + 1):
        now = train_step(setup, accelerator, settings, epoch, step, images, target)
        loss_sum += now.loss
        correct += now.seen.correct
        counted += now.seen.counted
        mechanism += now.seen.sums
        seen += len(images)
        check()
        progress.step(len(images) * processes)
        check_interrupted()
        if progress.wants_figures():
            mean = loss_sum.item() / seen
            # Alone: of several processes, one that stops by itself would be waited for.
            if processes == 1:
                check_finite(mean, "the loss", settings, epoch)
            accuracy = correct.item() / max(counted.item(), 1)
            progress.figures(epoch + 1, step, batches.steps, mean, accuracy)
        if recipe.checkpoint_steps and step % recipe.checkpoint_steps == 0 < batches.steps - step:
            save(position.within_epoch(totals(step)))

    whole = totals(batches.steps)
    mean_loss = sum(whole.loss) / whole.seen
    check_finite(mean_loss, "the loss", settings, epoch)
    row = {
        **figures,
        "train_loss": mean_loss,
        "train_accuracy": whole.correct / max(whole.counted, 1),
        **setup.task.figures(whole.mechanism, whole.correct, whole.counted),
    }
    left_out = batches.steps * recipe.batch_size - whole.seen
    if left_out:
        row["images_left_out"] = left_out
    return row | {"seconds": whole.seconds, "images_per_second": whole.seen / whole.seconds}
