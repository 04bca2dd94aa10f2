"""One image file as a model that was trained here is given it."""

import io

import numpy as np
from PIL import Image

from maxsup.data._crop import centre_box
from maxsup.data._decode import _resize_and_crop
from maxsup.data._jpeg import Interpolation, Pixels, decode_crop


def read_central_part(
    content: bytes, size: int, crop: float, interpolation: Interpolation
) -> Pixels:
    """The central part of a photograph, (size, size, 3) uint8, as evaluation takes it.

    Raises:
        ValueError: The image cannot be read.
    """
    return decode_crop(
        content,
        lambda width, height: centre_box(width, height, crop),
        size,
        interpolation=interpolation,
    )


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
    try:
        with Image.open(io.BytesIO(content)) as opened:
            image = opened.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"The image of {len(content):,} bytes cannot be read: {error}.") from error
    height, width = size
    if image.size != (width, height):
        if height != width:
            raise ValueError(
                f"The image has {image.width}×{image.height} pixels, and the model was trained on "
                f"images of {width}×{height}."
            )
        image = _resize_and_crop(image, height)
    pixels = np.array(image)
    return pixels[:, :, :1].copy() if grey else pixels
