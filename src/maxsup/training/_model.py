"""The model of a recipe."""

from collections.abc import Callable

from accelerate import Accelerator
from timm.layers import convert_sync_batchnorm
from torch import nn

from maxsup.data import ImageData, Normalization
from maxsup.data.masks import MaskData
from maxsup.models import Architecture, ModelDescription
from maxsup.recipes import Recipe


def build_model(recipe: Recipe, data: ImageData) -> nn.Module:
    """The recipe's model for the classes and images of ``data``, freshly initialised."""
    return _build(_architecture(recipe, data), recipe)


def build_described(
    recipe: Recipe,
    data: ImageData,
    normalization: Normalization,
    announce: Callable[[str], None] | None = None,
) -> tuple[nn.Module, ModelDescription]:
    """The recipe's model, and what a stranger needs to use it once it is trained."""
    architecture = _architecture(recipe, data)
    description = ModelDescription(
        architecture=architecture,
        classes=data.classes,
        mean=normalization.mean,
        std=normalization.std,
        input_size=data.image_shape,
        reading="photographs" if recipe.random_resized_crop else "small",
        crop=recipe.eval_crop if recipe.random_resized_crop else 1.0,
        interpolation=recipe.interpolation if recipe.random_resized_crop else "bicubic",
    )
    return _build(architecture, recipe, announce), description


def _build(
    architecture: Architecture, recipe: Recipe, announce: Callable[[str], None] | None = None
) -> nn.Module:
    return architecture.build(
        recipe.weights, partial_weights=recipe.partial_weights, announce=announce
    )


def build_normalization(recipe: Recipe, data: ImageData | MaskData) -> Normalization:
    """How images are scaled: as the recipe says, else by what is known of the training images.

    Raises:
        ValueError: The recipe says it for another number of channels than the images have.
    """
    if recipe.mean is None or recipe.std is None:
        return Normalization.of(data.train, channels_last=recipe.channels_last)
    channels, _, _ = data.image_shape
    if len(recipe.mean) != channels:
        raise ValueError(
            f"mean and std have {len(recipe.mean)} numbers, and the images {channels} channels. "
            "Give one for each channel, or leave both away."
        )
    return Normalization(recipe.mean, recipe.std, recipe.channels_last)


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


def synchronised(model: nn.Module, accelerator: Accelerator) -> nn.Module:
    """The model with batch-norm over the batches of all processes.

    Raises:
        ValueError: torch cannot do that on CPUs.
    """
    if accelerator.num_processes == 1:
        return model
    if accelerator.device.type == "cpu":
        raise ValueError(
            "torch has no synchronised batch-norm for CPUs: add --no-sync-batchnorm to train "
            f"with {accelerator.num_processes} processes here."
        )
    synchronised: nn.Module = convert_sync_batchnorm(model)
    return synchronised
