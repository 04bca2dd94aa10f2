"""One small image, as a model that was trained on such images is given it."""

import numpy as np

from maxsup.data._entry import Pixels, explained, open_image
from maxsup.data.small._decode import resize_and_crop


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
    with open_image(content) as opened, explained(content):
        image = opened.convert("RGB")
    height, width = size
    if image.size != (width, height):
        if height != width:
            raise ValueError(
                f"The image has {image.width}×{image.height} pixels, and the model was trained on "
                f"images of {width}×{height}."
            )
        image = resize_and_crop(image, height)
    pixels = np.array(image)
    return pixels[:, :, :1].copy() if grey else pixels
