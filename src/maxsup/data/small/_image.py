"""One small image, as it is kept in memory and as a model is given it."""

import numpy as np
from PIL import Image

from maxsup.data._entry import Pixels
from maxsup.data._image_file import MAX_MEGAPIXELS, ImageFile

_MOST_ELONGATED = 64  # longer side by shorter side; of what is longer, the centre is taken first


def open_small_image(
    content: bytes, size: int | None, max_megapixels: int = MAX_MEGAPIXELS
) -> Image.Image:
    """Decode an image, of mode L if it is grey by its kind, else RGB.

    Args:
        content: The file.
        size: Side of the square that it is resized (the shorter side, bicubic) and cropped (at the
            centre) to; ``None`` takes it as it is.
        max_megapixels: How many millions of pixels may be decoded. A JPEG that has more is decoded
            at a part of its size, if that is still twice ``size``.

    Raises:
        UnreadableImageError: It cannot be read, or has too many pixels.
    """
    file = ImageFile(content, max_megapixels)
    if size is not None and file.is_too_large:
        file.shrink(2 * size, 2 * size)
    image = file.read()
    return image if size is None else to_square(image, size)


def read_small_image(content: bytes, size: tuple[int, int], *, grey: bool) -> Pixels:
    """A small image, (H, W, C) uint8, brought to a size as :func:`load_images` does.

    Args:
        content: The file.
        size: Height and width.
        grey: Whether it becomes one channel, or three.

    Raises:
        ValueError: The image cannot be read, or has another size than a data set whose images are
            not square.
    """
    height, width = size
    image = open_small_image(content, height if height == width else None)
    if image.size != (width, height):
        raise ValueError(
            f"The image has {image.width}×{image.height} pixels, and the model was trained on "
            f"images of {width}×{height}."
        )
    pixels = np.array(image.convert("RGB"))
    return pixels[:, :, :1].copy() if grey else pixels


def to_square(image: Image.Image, size: int) -> Image.Image:
    """Bring the shorter side to ``size``, bicubic, and take the square at the centre."""
    if image.width == image.height == size:
        return image
    first, (width, height), (left, top) = _square(image.width, image.height, size)
    if first != (0, 0, image.width, image.height):
        image = image.crop(first)
    return image.resize((width, height), Image.Resampling.BICUBIC).crop(
        (left, top, left + size, top + size)
    )


def square_part(width: int, height: int, size: int) -> tuple[float, float, float, float]:
    """Which part of an image :func:`to_square` shows: its left, top, right and bottom edge.

    >>> square_part(64, 32, 16)
    (16.0, 0.0, 48.0, 32.0)
    """
    (first, above, right, bottom), (wide, tall), (left, top) = _square(width, height, size)
    across, down = (right - first) / wide, (bottom - above) / tall
    return (
        first + left * across,
        above + top * down,
        first + (left + size) * across,
        above + (top + size) * down,
    )


def _square(
    width: int, height: int, size: int
) -> tuple[tuple[int, int, int, int], tuple[int, int], tuple[int, int]]:
    """The part that is taken first, what it is resized to, and where the square then begins."""
    # Enlarged as a whole, a line of pixels would fill the memory.
    most = _MOST_ELONGATED * min(width, height)
    across, down = min(width, most), min(height, most)
    left, top = (width - across) // 2, (height - down) // 2
    first = (left, top, left + across, top + down)
    scale = size / min(across, down)
    wide, tall = max(size, round(across * scale)), max(size, round(down * scale))
    return first, (wide, tall), ((wide - size) // 2, (tall - size) // 2)
