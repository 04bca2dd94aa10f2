"""One step of the optimiser."""

import contextlib
from typing import NamedTuple

import torch
from accelerate import Accelerator
from torch import Tensor

from maxsup._seeds import derive_seed
from maxsup.training._mechanism import SUMS, Seen
from maxsup.training._settings import RunSettings
from maxsup.training._setup import Setup


class StepSums(NamedTuple):
    """Sums over the images of a step, still on the device."""

    loss: Tensor
    seen: Seen


def train_step(
    setup: Setup,
    accelerator: Accelerator,
    settings: RunSettings,
    epoch: int,
    step: int,
    images: Tensor,
    target: Tensor,
) -> StepSums:
    """One step of the optimiser.

    Returns:
        The sum of the images' losses, and what the outputs said beside it.
    """
    recipe, state, model = settings.recipe, setup.state, setup.wrapped
    # What the model draws itself (dropout and the like): a stream for each step and process.
    torch.manual_seed(derive_seed(settings.seed, "model", epoch, step, accelerator.process_index))
    loss_sum = torch.zeros((), dtype=torch.float64, device=accelerator.device)
    correct = torch.zeros((), dtype=torch.int64, device=accelerator.device)
    counted = torch.zeros_like(correct)
    sums = torch.zeros(SUMS, dtype=torch.float64, device=accelerator.device)
    parts = list(zip(images.chunk(recipe.accumulate), target.chunk(recipe.accumulate), strict=True))
    for part, (part_images, part_target) in enumerate(parts, start=1):
        # Processes exchange gradients once a step, not once a part.
        with contextlib.nullcontext() if part == len(parts) else accelerator.no_sync(model):
            output = model(part_images)
            loss = setup.task.loss(state.criterion, output, part_target)
            if setup.teacher is not None:
                loss = setup.teacher.taught(loss, output, part_images, accelerator)
            accelerator.backward(loss / len(parts))
        loss_sum += loss.detach() * len(part_images)
        seen = setup.task.look(output, part_target)
        correct += seen.correct
        counted += seen.counted
        sums += seen.sums
    if recipe.clip_norm is not None:
        accelerator.clip_grad_norm_(model.parameters(), recipe.clip_norm)
    state.optimizer.step()
    state.optimizer.zero_grad()
    state.lr_scheduler.step()
    state.criterion.step()
    if state.ema is not None:
        state.ema.update(state.model)
    return StepSums(loss_sum, Seen(correct, counted, sums))
