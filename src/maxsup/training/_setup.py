"""Everything that a training needs, built from its settings."""

from typing import Any, NamedTuple

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from timm.utils import ModelEmaV3
from torch import nn

from maxsup.data import ImageData, Normalization, TrainingBatches
from maxsup.methods import Training, build_criterion
from maxsup.models import TIMM
from maxsup.recipes import Recipe
from maxsup.training._checkpoint import State
from maxsup.training._data import AnyData
from maxsup.training._fingerprint import weights_digest
from maxsup.training._model import synchronised
from maxsup.training._optimizer import build_lr_scheduler, build_optimizer
from maxsup.training._settings import RunSettings
from maxsup.training._task import Task
from maxsup.training._tasks import task_of
from maxsup.training._teacher import Teacher, build_teacher


class Setup(NamedTuple):
    """The parts of a training, at its start."""

    task: Task
    """What it is trained for."""
    batches: TrainingBatches
    normalization: Normalization
    wrapped: nn.Module
    """The model as it is called: it exchanges gradients between processes."""
    state: State
    initial_weights: str
    """SHA-256 of the weights that runs of one seed share, :meth:`Task.drawn`."""
    description: Any
    """What a stranger needs to use the model once it is trained."""
    notes: tuple[str, ...]
    """What a user should know of the weights that it starts from, in sentences."""
    teacher: Teacher | None = None
    """Whom it learns from beside its labels."""

    def measured(self, recipe: Recipe) -> nn.Module:
        """The model that the training ends with, or the average of its weights."""
        ema = self.state.ema
        return ema.module if ema is not None and recipe.evaluate_ema else self.state.model


def set_up(settings: RunSettings, data: AnyData, accelerator: Accelerator) -> Setup:
    """Build model, batches, objective and optimiser; the same for the same settings.

    Raises:
        ValueError: The settings do not fit together, the data, or the number of processes.
    """
    recipe = settings.recipe
    task = task_of(recipe)
    normalization = task.normalization(recipe, data)
    batches = task.batches(
        recipe,
        data,
        normalization,
        seed=settings.seed,
        device=accelerator.device,
        rank=accelerator.process_index,
        processes=accelerator.num_processes,
    )
    teacher = None
    if isinstance(data, ImageData):
        teacher = build_teacher(settings, data, normalization, accelerator)
    set_seed(settings.seed)
    notes: list[str] = []
    model, description = task.build(recipe, data, normalization, notes.append)
    task.check(model, recipe, data, accelerator.num_processes)
    if recipe.sync_batchnorm:
        model = synchronised(model, accelerator)
    if recipe.channels_last:
        model = model.to(memory_format=torch.channels_last)
    initial_weights = weights_digest(task.drawn(model))
    optimizer = build_optimizer(model, recipe)
    lr_scheduler = build_lr_scheduler(optimizer, recipe, batches.steps)
    criterion = build_criterion(
        settings.method,
        Training(
            num_classes=len(data.classes),
            steps=recipe.epochs * batches.steps,
            steps_per_epoch=batches.steps,
        ),
    )
    task.fit(criterion, recipe, data)
    criterion.to(accelerator.device)
    if recipe.compile:
        model.compile()
    wrapped, optimizer = accelerator.prepare(model, optimizer)
    ema = ModelEmaV3(model, decay=recipe.ema_decay) if recipe.ema_decay is not None else None
    state = State(model, optimizer, lr_scheduler, criterion, ema)
    return Setup(
        task,
        batches,
        normalization,
        wrapped,
        state,
        initial_weights,
        description,
        tuple(notes),
        teacher,
    )


def notes_on_weights(recipe: Recipe, data: AnyData) -> list[str]:
    """What a user should know of how the weights fit that a training starts from, in sentences.

    Raises:
        ValueError: They do not.
    """
    if recipe.weights is None or (recipe.weights == TIMM and not recipe.is_segmentation):
        return []
    notes: list[str] = []
    task = task_of(recipe)
    # The model itself is of no account, and must not cost the caller random numbers.
    with torch.random.fork_rng(devices=[]):
        task.build(recipe, data, task.normalization(recipe, data), notes.append)
    return notes


def check_setup(settings: RunSettings, data: AnyData, accelerator: Accelerator) -> None:
    """See, before anything is written, that a training can be built; to be called in all processes.

    What would be noted as the failure of this one run is left to the run.

    Raises:
        ValueError: The settings do not fit together, the data, or the number of processes.
        OSError: Something cannot be read.
    """
    try:
        set_up(settings, data, accelerator)
    except (OSError, ValueError):
        raise
    except Exception as error:
        # Its frames hold the model.
        error.__traceback__ = None
    finally:
        # It collects garbage, which takes its time; on a CPU that of the first run will do.
        if accelerator.device.type != "cpu":
            accelerator.free_memory()
