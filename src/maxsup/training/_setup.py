"""Everything that a training needs, built from its settings."""

import os
from pathlib import Path
from typing import NamedTuple

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType, set_seed
from timm.layers import convert_sync_batchnorm
from timm.utils import ModelEmaV3
from torch import nn

from maxsup.data import ImageData, Normalization, TrainingBatches
from maxsup.methods import Training, build_criterion
from maxsup.models import create_model
from maxsup.recipes import Recipe
from maxsup.training._checkpoint import State
from maxsup.training._data import build_batches
from maxsup.training._fingerprint import weights_digest
from maxsup.training._optimizer import build_lr_scheduler, build_optimizer
from maxsup.training._settings import RunSettings


class Setup(NamedTuple):
    """The parts of a training, at its start."""

    batches: TrainingBatches
    normalization: Normalization
    wrapped: nn.Module
    """The model as it is called: it exchanges gradients between processes."""
    state: State
    initial_weights: str
    """SHA-256 of the model's weights."""


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


def advice(recipe: Recipe, accelerator: Accelerator) -> str | None:
    """What a person should know of these settings on this machine, in a sentence or two."""
    if recipe.precision == "bf16" and accelerator.device.type == "cpu" and not _has_bf16(_CPU):
        return (
            "This processor has no instructions for bf16, which makes it many times slower than "
            "fp32 here: --precision fp32 is better."
        )
    return None


_CPU = Path("/proc/cpuinfo")
_BF16 = {"amx_bf16", "avx512_bf16", "bf16"}


def _has_bf16(description: Path) -> bool:
    """Whether a processor has, as far as Linux describes it."""
    if not description.exists():
        return True
    return not _BF16.isdisjoint(description.read_text(encoding="utf-8").split())


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
