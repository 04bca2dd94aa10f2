"""From any of Pillow's modes to 8-bit pixels, grey or RGB, by rules that no image's content sways.

What white is follows from the mode alone, so that the images of a data set keep their brightness
against each other: 65,535 in integers of more than 8 bits, 1 in floating-point numbers. Transparent
parts show a white background.
"""

import numpy as np
from PIL import Image

from maxsup.data._entry import UnreadableImageError

_WHITE = (255, 255, 255)


def is_grey(image: Image.Image) -> bool:
    """Whether an opened image has no colour by its kind."""
    return image.mode in ("1", "L", "LA", "La") or is_deep(image)


def to_eight_bits(image: Image.Image) -> Image.Image:
    """An image as mode L if it is grey by its kind, else as RGB, opaque.

    Raises:
        UnreadableImageError: Its numbers reach beyond what the mode's white is.

    Example:
        >>> white = Image.new("I;16", (1, 1), 65535)
        >>> to_eight_bits(white).getpixel((0, 0))
        255
        >>> to_eight_bits(Image.new("RGBA", (1, 1), (0, 0, 0, 0))).getpixel((0, 0))
        (255, 255, 255)
    """
    mode = "L" if is_grey(image) else "RGB"
    if is_deep(image):
        return _scaled(image)
    if image.mode == mode and not image.has_transparency_data:
        return image
    if not image.has_transparency_data:
        return image.convert(mode)
    transparent = image.convert("RGBA")
    opaque = Image.new("RGBA", image.size, (*_WHITE, 255))
    opaque.alpha_composite(transparent)
    return opaque.convert(mode)


def is_deep(image: Image.Image) -> bool:
    """Whether an opened image is grey with more than 8 bits."""
    return image.mode in ("I", "F") or image.mode.startswith("I;16")


def brightest(image: Image.Image) -> float:
    """The brightest pixel of an image of more than 8 bits, by what is white in its mode.

    >>> brightest(Image.new("I;16", (1, 1), 13107))
    0.2
    """
    return float(np.asarray(image).max() / _white(image))


def _white(image: Image.Image) -> int:
    return 1 if image.mode == "F" else 65535


def _scaled(image: Image.Image) -> Image.Image:
    """Grey of more than 8 bits, as mode L."""
    numbers, white = np.asarray(image), _white(image)
    kind = "floating-point numbers" if white == 1 else "integers of more than 8 bits"
    least, most = numbers.min(), numbers.max()
    if not (least >= 0 and most <= white):  # written so that NaN fails too
        raise UnreadableImageError(
            f"its pixels are {kind} (mode {image.mode}) from {least:g} to {most:g}, where 0 is "
            f"black and {white} is white; convert it to 8 or 16 bits"
        )
    levels = np.rint(numbers * (255 / white)).astype(np.uint8)
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        levels[numbers == transparent] = 255
    return Image.fromarray(levels)
