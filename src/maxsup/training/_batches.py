"""The batches that a recipe trains with."""

import torch

from maxsup.data import (
    Augmentation,
    BatchSettings,
    ImageData,
    Mixing,
    Normalization,
    PhotographAugmentation,
    TrainingBatches,
)
from maxsup.recipes import Recipe


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
    check_shares(recipe, processes)
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


def check_shares(recipe: Recipe, processes: int) -> None:
    """See that each process has as many images of a batch in each accumulated part.

    Raises:
        ValueError: It has not.
    """
    parts = processes * recipe.accumulate
    if recipe.batch_size % parts:
        raise ValueError(
            f"batch_size ({recipe.batch_size}) must be a multiple of {parts}: "
            f"{processes} processes with {recipe.accumulate} accumulated parts."
        )


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
