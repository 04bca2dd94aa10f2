"""Which way up a photograph is: what EXIF says that a viewer should do to it."""

import re
from typing import Any, TypeVar

import numpy as np
from PIL import Image

_Array = TypeVar("_Array", bound=np.ndarray[Any, Any])
_Four = tuple[int, int, int, int]

UPRIGHT = 1
_TAG = 0x0112
_IN_XMP = re.compile(rb'tiff:Orientation(?:="|>)([0-9])')

_STEPS = {
    # Swap rows with columns, then turn the rows round, then the columns.
    1: (False, False, False),
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


def orientation_in(exif: Image.Exif) -> int:
    """The orientation that EXIF tells, from 1 to 8; 1 where it tells none that there is."""
    try:
        found = exif.get(_TAG, UPRIGHT)
    except Exception:  # Pillow reads the entries now, and has many errors for damaged ones
        return UPRIGHT
    return found if found in _STEPS else UPRIGHT


def orientation_of_segment(segment: bytes) -> int | None:
    """The orientation that a JPEG's APP1 segment tells, of EXIF or XMP; None for neither."""
    if segment.startswith(b"Exif\0\0"):
        exif = Image.Exif()
        try:
            exif.load(segment)
        except Exception:  # as above
            return None
        return orientation_in(exif) if _TAG in exif else None
    found = _IN_XMP.search(segment)
    return int(found[1]) if found and int(found[1]) in _STEPS else None


def upright_size(width: int, height: int, orientation: int) -> tuple[int, int]:
    """Width and height once the image is upright.

    >>> upright_size(640, 480, 6)
    (480, 640)
    """
    return (height, width) if _STEPS[orientation][0] else (width, height)


def turn_upright(pixels: _Array, orientation: int) -> _Array:
    """The pixels (H, W, ...) of a stored image, upright; a view of them.

    >>> turn_upright(np.array([[1, 2, 3]]), 6).tolist()
    [[1], [2], [3]]
    """
    swap, rows, columns = _STEPS[orientation]
    turned = np.swapaxes(pixels, 0, 1) if swap else pixels
    return turned[:: -1 if rows else 1, :: -1 if columns else 1]  # type: ignore[return-value]


def stored_box(box: _Four, width: int, height: int, orientation: int) -> _Four:
    """Where a part (top, left, height, width) of the upright image stands in the stored one.

    Args:
        box: The part.
        width: Of the upright image.
        height: Of the upright image.
        orientation: From 1 to 8.

    >>> stored_box((0, 0, 10, 20), 480, 640, 6)
    (460, 0, 20, 10)
    """
    swap, rows, columns = _STEPS[orientation]
    top, left, tall, wide = box
    top = height - top - tall if rows else top
    left = width - left - wide if columns else left
    return (left, top, wide, tall) if swap else (top, left, tall, wide)
