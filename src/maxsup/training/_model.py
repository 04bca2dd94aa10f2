"""The model of a recipe."""

from accelerate import Accelerator
from timm.layers import convert_sync_batchnorm
from torch import nn

from maxsup.data import ImageData, Normalization
from maxsup.models import Architecture, ModelDescription
from maxsup.recipes import Recipe


def build_model(recipe: Recipe, data: ImageData) -> nn.Module:
    """The recipe's model for the classes and images of ``data``, freshly initialised."""
    return _architecture(recipe, data).build(recipe.weights)


def build_described(
    recipe: Recipe, data: ImageData, normalization: Normalization
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
    return architecture.build(recipe.weights), description


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
