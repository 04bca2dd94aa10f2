"""The data that a recipe trains on, and its batches."""

from collections.abc import Callable

import torch

from maxsup.data import (
    Augmentation,
    BatchSettings,
    DataSettings,
    ImageData,
    Mixing,
    Normalization,
    PhotographAugmentation,
    PhotographSettings,
    TrainingBatches,
    load_images,
)
from maxsup.recipes import Recipe


def load_data(
    settings: DataSettings, recipe: Recipe, announce: Callable[[str], None] | None = None
) -> ImageData:
    """Load a data set as a recipe takes it: small images into memory, photographs as files.

    Args:
        settings: What to load.
        recipe: How it is trained on.
        announce: Is told what is going on, in sentences.

    Raises:
        ValueError: The data cannot be used as asked; the message says how to mend it.
    """
    photographs = None
    if recipe.random_resized_crop:
        assert recipe.image_size is not None
        photographs = PhotographSettings(
            size=recipe.eval_size or recipe.image_size,
            crop=recipe.eval_crop,
            interpolation=recipe.interpolation,
            workers=recipe.workers,
        )
    return load_images(
        settings,
        image_size=recipe.image_size,
        prefer_label=recipe.label_column,
        photographs=photographs,
        announce=announce,
    )


def build_batches(
    recipe: Recipe,
    data: ImageData,
    normalization: Normalization,
    *,
    seed: int,
    device: torch.device,
    rank: int,
    processes: int,
) -> TrainingBatches:
    """The training batches of a recipe for one process.

    Raises:
        ValueError: A batch cannot be shared by so many processes and accumulated parts.
    """
    parts = processes * recipe.accumulate
    if recipe.batch_size % parts:
        raise ValueError(
            f"batch_size ({recipe.batch_size}) must be a multiple of {parts}: "
            f"{processes} processes with {recipe.accumulate} accumulated parts."
        )
    settings = BatchSettings(
        batch_size=recipe.batch_size,
        seed=seed,
        normalization=normalization,
        augmentation=_augmentation(recipe),
        mixing=Mixing(mixup=recipe.mixup, cutmix=recipe.cutmix),
        num_classes=len(data.classes),
        size=lambda epoch: recipe.resolution(epoch) or data.image_shape[1],
    )
    return data.train.training_batches(settings, device=device, rank=rank, processes=processes)


def _augmentation(recipe: Recipe) -> Augmentation | PhotographAugmentation:
    if recipe.random_resized_crop:
        return PhotographAugmentation(
            crop_scale=recipe.crop_scale,
            crop_ratio=recipe.crop_ratio,
            horizontal_flip=recipe.flip,
            rand_augment=recipe.rand_augment,
            erasing=recipe.erasing,
            repeats=recipe.repeats,
        )
    return Augmentation(
        crop_padding=recipe.crop_padding, horizontal_flip=recipe.flip, cutout=recipe.cutout
    )
