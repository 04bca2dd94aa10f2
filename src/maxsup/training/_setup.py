"""Everything that a training needs, built from its settings."""

from typing import NamedTuple

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from timm.layers import convert_sync_batchnorm
from timm.utils import ModelEmaV3
from torch import nn

from maxsup.data import ImageData, Normalization
from maxsup.methods import Training, build_criterion
from maxsup.models import Architecture, ModelDescription
from maxsup.recipes import Recipe
from maxsup.training._checkpoint import State
from maxsup.training._data import Batches, build_batches
from maxsup.training._fingerprint import weights_digest
from maxsup.training._optimizer import build_lr_scheduler, build_optimizer
from maxsup.training._settings import RunSettings


class Setup(NamedTuple):
    """The parts of a training, at its start."""

    batches: Batches
    normalization: Normalization
    wrapped: nn.Module
    """The model as it is called: it exchanges gradients between processes."""
    state: State
    initial_weights: str
    """SHA-256 of the model's weights."""


def build_model(recipe: Recipe, data: ImageData) -> nn.Module:
    """The recipe's model for the classes and images of ``data``, freshly initialised."""
    return _architecture(recipe, data).build(recipe.weights)


def describe_model(
    recipe: Recipe, data: ImageData, normalization: Normalization
) -> ModelDescription:
    """What a stranger needs to use the recipe's model once it is trained."""
    return ModelDescription(
        architecture=_architecture(recipe, data),
        classes=data.classes,
        mean=normalization.mean,
        std=normalization.std,
        input_size=data.image_shape,
        reading="photographs" if recipe.random_resized_crop else "small",
        crop=recipe.eval_crop,
        interpolation=recipe.interpolation if recipe.random_resized_crop else "bicubic",
    )


def _architecture(recipe: Recipe, data: ImageData) -> Architecture:
    channels, height, _ = data.image_shape
    return Architecture(
        recipe.model,
        num_classes=len(data.classes),
        in_channels=channels,
        small_stem=recipe.small_stem,
        zero_init=recipe.zero_init,
        blur_pool=recipe.blur_pool,
        drop_path=recipe.drop_path,
        image_size=recipe.image_size if recipe.random_resized_crop else height,
    )


def set_up(settings: RunSettings, data: ImageData, accelerator: Accelerator) -> Setup:
    """Build model, batches, objective and optimiser; the same for the same settings.

    Raises:
        ValueError: The settings do not fit together, the data, or the number of processes.
    """
    recipe = settings.recipe
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
    return Setup(batches, normalization, wrapped, state, initial_weights)


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
