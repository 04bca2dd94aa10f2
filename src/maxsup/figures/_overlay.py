"""A map of where a model looks, laid over its image."""

import io
from collections.abc import Sequence

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

_SIDE = 160
"""The longer side of a picture, in pixels."""
_COLOURS = "viridis"
"""Dark to bright, blue to yellow: read alike by those who see no red or no green, and in grey."""


def draw_overlay(
    image: bytes,
    values: NDArray[np.float64] | None = None,
    boxes: Sequence[Sequence[float]] = (),
) -> bytes:
    """Lay a map over an image, which turns grey below it, and draw boxes on it.

    Args:
        image: A PNG or JPEG file.
        values: (h, w), from 0 to 1; none for the image as it is.
        boxes: Left, top, right and bottom edge, as fractions of width and height.

    Returns:
        A JPEG file.
    """
    with Image.open(io.BytesIO(image)) as opened:
        picture = opened.convert("RGB")
    scale = _SIDE / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    # What is small is shown by its pixels.
    way = Image.Resampling.NEAREST if scale > 2 else Image.Resampling.BICUBIC
    picture = picture.resize(size, way)
    if values is not None:
        picture = _blend(picture, values)
    pen = ImageDraw.Draw(picture)
    for left, top, right, bottom in boxes:
        edges = (
            left * (size[0] - 1), top * (size[1] - 1), right * (size[0] - 1), bottom * (size[1] - 1)
        )  # fmt: skip
        pen.rectangle(edges, outline="black", width=3)
        inner = tuple(each + (1, 1, -1, -1)[number] for number, each in enumerate(edges))
        if inner[0] < inner[2] and inner[1] < inner[3]:
            pen.rectangle(inner, outline="white", width=1)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def _blend(picture: Image.Image, values: NDArray[np.float64]) -> Image.Image:
    large = Image.fromarray(values.astype(np.float32)).resize(
        picture.size, Image.Resampling.BILINEAR
    )
    strength = np.clip(np.asarray(large), 0, 1)
    coloured = matplotlib.colormaps[_COLOURS](strength)[..., :3]
    grey = np.asarray(picture.convert("L"), dtype=np.float64)[..., None] / 255
    return Image.fromarray((255 * (0.45 * grey + 0.55 * coloured)).round().astype(np.uint8))


def colour_bar() -> bytes:
    """The colours from 0 to 1, from left to right, as a PNG file."""
    ramp = matplotlib.colormaps[_COLOURS](np.tile(np.linspace(0, 1, 128), (12, 1)))[..., :3]
    buffer = io.BytesIO()
    Image.fromarray((255 * ramp).round().astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()
