"""What a training would take, from two of its batches."""

import itertools
import sys
import time
from dataclasses import dataclass

import psutil
import torch
from accelerate import Accelerator
from torch.utils.flop_counter import FlopCounterMode

from maxsup._console import console
from maxsup.training._accelerator import build_accelerator
from maxsup.training._announced import load_announced
from maxsup.training._data import AnyData
from maxsup.training._diverged import check_finite
from maxsup.training._progress import ProgressReport
from maxsup.training._settings import RunSettings
from maxsup.training._setup import Setup, set_up
from maxsup.training._step import train_step

_STEPS = 2


@dataclass(frozen=True)
class DryRun:
    """What two steps of a training showed."""

    device: str
    processes: int
    parameters: int
    flops: int
    """FLOPs of one image forward, with a multiplication and an addition counted as two."""
    image_size: tuple[int, ...]
    """Height and width for which the FLOPs are counted."""
    losses: tuple[float, ...]
    training_images: int
    test_images: int
    classes: int
    steps_per_epoch: int
    epochs: int
    memory: int
    """Bytes at the peak: the GPU's, or this process's where there is none."""
    step_seconds: float
    """Duration of the second step; the first also prepares much."""
    reading_seconds: float
    """Time from one batch to the next, where nothing is done with them."""
    seconds: float
    """Duration that is expected of all epochs, with the measuring."""
    outputs_bytes: int
    """About what the outputs take that a run keeps; 0 where it keeps none."""


def dry_run(
    settings: RunSettings,
    *,
    data: AnyData | None = None,
    accelerator: Accelerator | None = None,
) -> DryRun:
    """Build a training, take two steps of it, read and measure a little, and leave nothing behind.

    Where a GPU trains while other processes read, the slower one of the two decides how long a step
    takes; elsewhere their times add up.

    Args:
        settings: What would be trained.
        data: The data that ``settings.data`` names, where it has been loaded already.
        accelerator: From :func:`build_accelerator`, where there is one already.

    Raises:
        ValueError: The settings do not fit together, or the data.
        TrainingDiverged: The loss is infinite or NaN from the start.
    """
    recipe = settings.recipe
    accelerator = accelerator or build_accelerator(recipe)
    say = ProgressReport(console(stderr=True), 0).say
    if data is None:
        data = load_announced(settings, accelerator, say)
    setup = set_up(settings, data, accelerator)
    for note in setup.notes if accelerator.is_main_process else ():
        say(f"Weights: {note}")
    setup.wrapped.train()
    # The last epoch has the largest images where they grow.
    epoch = recipe.epochs - 1
    losses, times, shape = [], [], torch.Size()
    batches = itertools.islice(setup.batches.epoch(epoch), _STEPS)
    for step, (images, target) in enumerate(batches, start=1):
        start = time.perf_counter()
        sums = train_step(setup, accelerator, settings, epoch, step, images, target)
        loss = float(sums.loss) / len(images)
        times.append(time.perf_counter() - start)
        check_finite(loss, "the loss", settings, 0)
        losses.append(loss)
        shape = images.shape[1:]
    reading = _seconds_to_read_a_batch(setup, epoch)
    step_seconds = times[-1]
    side_by_side = setup.batches.readers > 0 and accelerator.device.type != "cpu"
    each_step = max(step_seconds, reading) if side_by_side else step_seconds + reading
    evaluator = setup.task.evaluator(
        setup.state.model, setup.normalization, data, accelerator, recipe, settings.measured_on
    )
    measuring = evaluator.estimate(recipe)
    steps = recipe.epochs * setup.batches.steps
    return DryRun(
        device=_device_name(accelerator),
        processes=accelerator.num_processes,
        parameters=sum(parameter.numel() for parameter in setup.state.model.parameters()),
        flops=_count_flops(setup, shape, accelerator),
        image_size=tuple(shape[1:]),
        losses=tuple(losses),
        training_images=len(data.train),
        test_images=len(data.test),
        classes=len(data.classes),
        steps_per_epoch=setup.batches.steps,
        epochs=recipe.epochs,
        memory=_peak_memory(accelerator),
        step_seconds=step_seconds,
        reading_seconds=reading,
        seconds=steps * each_step
        + measuring.images / accelerator.num_processes * measuring.seconds,
        outputs_bytes=measuring.outputs_bytes,
    )


def _seconds_to_read_a_batch(setup: Setup, epoch: int) -> float:
    """The time of a batch, read one after the other or several at a time by several processes.

    The first is waited for and not counted: those after it were begun with it. So many are taken
    that each process has read another two.
    """
    batches = itertools.islice(setup.batches.epoch(epoch), 1 + 2 * max(1, setup.batches.readers))
    next(batches)
    start = time.perf_counter()
    count = sum(1 for _ in batches)
    return (time.perf_counter() - start) / count if count else 0.0


@torch.inference_mode()
def _count_flops(setup: Setup, shape: torch.Size, accelerator: Accelerator) -> int:
    model = setup.state.model.eval()
    with FlopCounterMode(display=False) as counter:
        # Not called as a module: a compiled one is counted as it is written.
        model.forward(torch.zeros(1, *shape, device=accelerator.device))
    return int(counter.get_total_flops())


def _peak_memory(accelerator: Accelerator) -> int:
    if accelerator.device.type == "cuda":
        return torch.cuda.max_memory_allocated(accelerator.device)
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource  # not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def _device_name(accelerator: Accelerator) -> str:
    if accelerator.device.type == "cuda":
        return str(torch.cuda.get_device_name(accelerator.device))
    return str(accelerator.device.type).upper()
