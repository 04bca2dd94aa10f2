"""timm's RandAugment of photographs."""

import functools
from collections.abc import Callable
from typing import Any

from PIL import Image
from timm.data.auto_augment import rand_augment_transform

from maxsup.data._normalization import IMAGENET_MEAN
from maxsup.data.photographs._jpeg import RESAMPLING
from maxsup.data.photographs._settings import Interpolation

_FILL = tuple(round(255 * mean) for mean in IMAGENET_MEAN)
_TRANSLATE = 0.45  # of the side, at the most


@functools.lru_cache
def rand_augment(
    description: str, size: int, interpolation: Interpolation
) -> Callable[[Image.Image], Image.Image]:
    """The transformation that timm's training script makes of a description.

    It draws from the global generators of Python and numpy.

    Args:
        description: In timm's words.
        size: Side of the images.
        interpolation: How images are turned and sheared.

    Raises:
        ValueError: timm does not understand the description.

    Example:
        >>> change = rand_augment("rand-m9-mstd0.5-inc1", 224, "bicubic")
        >>> change(Image.new("RGB", (224, 224))).size
        (224, 224)
    """
    settings = {
        "translate_const": int(_TRANSLATE * size),
        "img_mean": _FILL,
        "interpolation": RESAMPLING[interpolation],
    }
    try:
        change = rand_augment_transform(description, settings)
    except (AssertionError, KeyError, ValueError) as error:
        raise ValueError(
            f"timm does not understand the RandAugment {description!r} ({error!r}); written right "
            "is rand-m9-mstd0.5-inc1 for example."
        ) from error
    for operation in change.ops:
        if operation.name.startswith("Posterize"):
            operation.aug_fn = _keeping_no_bits(operation.aug_fn)
    checked: Callable[[Image.Image], Image.Image] = change
    return checked


def _keeping_no_bits(posterize: Callable[..., Image.Image]) -> Callable[..., Image.Image]:
    """The strongest posterizing keeps no bit of a pixel; Pillow 13 refuses that."""

    def function(image: Image.Image, bits: int, **others: Any) -> Image.Image:
        if bits < 1:
            return Image.new(image.mode, image.size)
        return posterize(image, bits, **others)

    return function
