"""The batches that a recipe trains with."""

import torch

from maxsup.data import (
    Augmentation,
    ImageData,
    LoadedBatches,
    Mixing,
    Normalization,
    PhotographAugmentation,
    ResidentBatches,
    Split,
)
from maxsup.recipes import Recipe

Batches = ResidentBatches | LoadedBatches


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
