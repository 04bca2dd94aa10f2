"""Which part of a photograph to take."""

import math
from typing import NamedTuple

import numpy as np

_TRIES = 10


class Box(NamedTuple):
    """A part of an image, in pixels of the image."""

    top: int
    left: int
    height: int
    width: int


def random_crop_box(
    width: int,
    height: int,
    draws: np.random.Generator | int,
    scale: tuple[float, float] = (0.08, 1.0),
    ratio: tuple[float, float] = (3 / 4, 4 / 3),
) -> Box:
    """Draw a part of random area and shape, distributed as torchvision's ``RandomResizedCrop``.

    Area is uniform and the ratio's logarithm is. What does not fit is drawn again, ten times in
    all; then it is the largest part at the centre with an allowed ratio.

    Args:
        width: The image's width in pixels.
        height: The image's height in pixels.
        draws: Where the random numbers come from: a seed, or a generator, of which it always takes
            forty. The box is a function of them, so not of the process that asks.
        scale: Least and most of the image's area.
        ratio: Least and most of width by height.

    Raises:
        ValueError: The image has no pixels, or a range is not one of positive numbers.

    Example:
        >>> box = random_crop_box(500, 375, 0)
        >>> box == random_crop_box(500, 375, 0), box == random_crop_box(500, 375, 1)
        (True, False)
        >>> random_crop_box(1000, 10, 0)  # far too wide for any
        Box(top=0, left=493, height=10, width=13)
    """
    _check_size(width, height)
    for name, (low, high) in (("scale", scale), ("ratio", ratio)):
        if not 0 < low <= high:
            raise ValueError(
                f"{name} must be two positive numbers, the smaller one first; got {(low, high)}."
            )
    generator = np.random.default_rng(draws) if isinstance(draws, int) else draws
    low, high = math.log(ratio[0]), math.log(ratio[1])
    for for_area, for_ratio, for_top, for_left in generator.random((_TRIES, 4)).tolist():
        area = width * height * (scale[0] + (scale[1] - scale[0]) * for_area)
        aspect = math.exp(low + (high - low) * for_ratio)
        wide, tall = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < wide <= width and 0 < tall <= height:
            top, left = int(for_top * (height - tall + 1)), int(for_left * (width - wide + 1))
            return Box(top, left, tall, wide)
    return _largest_at_centre(width, height, ratio)


def centre_box(width: int, height: int, fraction: float = 1.0) -> Box:
    """The square at the centre whose side is a fraction of the shorter side.

    Resizing to 256 and cropping 224 at the centre, as for validation, is a fraction of 224/256.

    Args:
        width: The image's width in pixels.
        height: The image's height in pixels.
        fraction: In (0, 1].

    Raises:
        ValueError: The image has no pixels, or the fraction is out of range.

    Example:
        >>> centre_box(500, 375, 224 / 256)
        Box(top=23, left=86, height=328, width=328)
    """
    _check_size(width, height)
    if not 0 < fraction <= 1:
        raise ValueError(f"fraction must lie in (0, 1]; got {fraction}.")
    side = max(1, round(fraction * min(width, height)))
    return Box((height - side) // 2, (width - side) // 2, side, side)


def _largest_at_centre(width: int, height: int, ratio: tuple[float, float]) -> Box:
    wide, tall = width, height
    if width / height < ratio[0]:
        tall = max(1, round(width / ratio[0]))
    elif width / height > ratio[1]:
        wide = max(1, round(height * ratio[1]))
    return Box((height - tall) // 2, (width - wide) // 2, tall, wide)


def _check_size(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise ValueError(f"An image has at least one pixel; got {width}×{height}.")
