"""Which pixels of an image, and how much of each, a random crop of the resized image takes.

Nothing is resized before it is cropped: of each row and column of the crop it is found where it
lies in the image as it is stored. Both have their pixels' centres at halves, as torch and OpenCV
resize images; a mask takes the pixel that the centre falls into, so that it lies where the image
does (torch calls that ``nearest-exact``; OpenCV's nearest is shifted by up to half a pixel).
"""

from typing import Any, NamedTuple

import numpy as np

TRIES = 10
"""Places that are drawn for a crop, of which the first that will do is taken."""

_Array = np.ndarray[Any, Any]


class Axis(NamedTuple):
    """The rows of a crop, or its columns, by where they lie in the stored image."""

    low: _Array
    """(n,) int64: the pixel at or before the centre."""
    weight: _Array
    """(n,) float32: how much the next pixel counts, from 0 to 1."""
    nearest: _Array
    """(n,) int64: the pixel that the centre falls into."""
    inside: _Array
    """(n,) bool: whether the resized image reaches so far."""

    @property
    def start(self) -> int:
        """The first pixel that counts."""
        return int(self.low.min())

    @property
    def stop(self) -> int:
        """One behind the last pixel that counts."""
        return int(self.low.max()) + 2


def axis(stored: int, resized: int, crop: int, at: float) -> Axis:
    """Where a crop's rows or columns lie.

    Args:
        stored: Pixels of the image along this axis.
        resized: How many it would have resized.
        crop: How many the crop has; beyond the end of a smaller image nothing is.
        at: From 0 to 1, where the crop begins.

    Example:
        >>> axis(4, 8, 4, 0.0).nearest.tolist(), axis(4, 8, 4, 0.0).weight.tolist()
        ([0, 0, 1, 1], [0.0, 0.25, 0.75, 0.25])
    """
    first = min(int(at * (max(resized - crop, 0) + 1)), max(resized - crop, 0))
    place = first + np.arange(crop, dtype=np.int64)
    # In whole numbers, so that no rounding decides which pixel is nearest.
    nearest = np.minimum((2 * place + 1) * stored // (2 * resized), stored - 1)
    centre = np.clip((place + 0.5) * (stored / resized) - 0.5, 0, stored - 1)
    low = np.minimum(centre.astype(np.int64), max(stored - 2, 0))
    return Axis(low, (centre - low).astype(np.float32), nearest, place < resized)


def resized_to(
    height: int, width: int, factor: float, resize: tuple[int, int] | None
) -> tuple[int, int]:
    """Height and width of an image, fitted into ``resize`` and then resized by a factor.

    >>> resized_to(480, 640, 0.5, None), resized_to(480, 640, 1.0, (2048, 512))
    ((240, 320), (512, 683))
    """
    if resize is not None:
        longer, shorter = max(resize), min(resize)
        factor *= min(longer / max(height, width), shorter / min(height, width))
    return max(1, int(height * factor + 0.5)), max(1, int(width * factor + 0.5))
