"""The data that a recipe trains on."""

from collections.abc import Callable

from maxsup.data import (
    DataSettings,
    ImageData,
    PhotographSettings,
    load_images,
)
from maxsup.data.masks import MaskData, MaskSettings, load_masks
from maxsup.recipes import Recipe

AnyData = ImageData | MaskData
"""What there is to train on, for whatever purpose."""


def load_data(
    settings: DataSettings,
    recipe: Recipe,
    announce: Callable[[str], None] | None = None,
    *,
    measure_only: bool = False,
) -> AnyData:
    """Load a data set as a recipe takes it: with masks, or with one label for each image.

    Args:
        settings: What to load.
        recipe: How it is trained on.
        announce: Is told what is going on, in sentences.
        measure_only: Whether nothing is trained on it, see :func:`maxsup.data.load_images`.

    Raises:
        ValueError: The data cannot be used as asked; the message says how to mend it.
    """
    if recipe.is_segmentation:
        mask = MaskSettings(
            mask_column=settings.mask_column,
            classes=settings.classes,
            void=settings.void,
            reduce_zero_label=settings.reduce_zero_label,
            colors=settings.colors,
        )
        return load_masks(settings, mask=mask, measure_only=measure_only, announce=announce)
    return load_labelled(settings, recipe, announce, measure_only=measure_only)


def load_labelled(
    settings: DataSettings,
    recipe: Recipe,
    announce: Callable[[str], None] | None = None,
    *,
    measure_only: bool = False,
) -> ImageData:
    """Load images with one label each: small ones into memory, photographs as files.

    Args:
        settings: What to load.
        recipe: How it is trained on.
        announce: As in :func:`load_data`.
        measure_only: As there.

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
        image_size=None if photographs is not None else recipe.image_size,
        prefer_label=recipe.label_column,
        photographs=photographs,
        measure_only=measure_only,
        announce=announce,
    )
