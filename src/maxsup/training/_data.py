"""The data that a recipe trains on, and its batches."""

from collections.abc import Callable

import torch

from maxsup.data import (
    Augmentation,
    DataSettings,
    ImageData,
    LoadedBatches,
    Mixing,
    Normalization,
    PhotographAugmentation,
    Photographs,
    ResidentBatches,
    Split,
    load_images,
)
from maxsup.recipes import Recipe

Batches = ResidentBatches | LoadedBatches


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
        photographs = Photographs(
            size=recipe.eval_size or recipe.image_size,
            crop=recipe.eval_crop,
            interpolation=recipe.interpolation,
            workers=recipe.workers,
        )
    return load_images(
        settings, prefer_label=recipe.label_column, photographs=photographs, announce=announce
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
) -> Batches:
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
    mixing = Mixing(mixup=recipe.mixup, cutmix=recipe.cutmix)
    if isinstance(data.train, Split):
        return ResidentBatches(
            data.train,
            batch_size=recipe.batch_size,
            seed=seed,
            normalization=normalization,
            augmentation=Augmentation(
                crop_padding=recipe.crop_padding,
                horizontal_flip=recipe.flip,
                cutout=recipe.cutout,
            ),
            mixing=mixing,
            num_classes=len(data.classes),
            device=device,
            rank=rank,
            processes=processes,
        )
    sizes = [recipe.resolution(epoch) or 0 for epoch in range(recipe.epochs)]
    return LoadedBatches(
        data.train,
        batch_size=recipe.batch_size,
        size=sizes.__getitem__,
        seed=seed,
        normalization=normalization,
        augmentation=PhotographAugmentation(
            crop_scale=recipe.crop_scale,
            crop_ratio=recipe.crop_ratio,
            horizontal_flip=recipe.flip,
            rand_augment=recipe.rand_augment,
            erasing=recipe.erasing,
            repeats=recipe.repeats,
        ),
        mixing=mixing,
        num_classes=len(data.classes),
        device=device,
        rank=rank,
        processes=processes,
    )
