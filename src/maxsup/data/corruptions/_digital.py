"""What cameras and programs do to an image."""

import io
from typing import Any

import numpy as np
from PIL import Image
from scipy import ndimage

from maxsup.data.corruptions._draws import Draws, Images


def brightness(images: Images, strength: Any, draws: Draws) -> Images:
    """Adds to the value of hue, saturation and value."""
    value = images.max(axis=1, keepdims=True)
    raised = np.clip(value + strength, 0, 1)
    return np.where(value > 0, images * (raised / np.where(value > 0, value, 1)), raised).astype(
        np.float32
    )


def saturate(images: Images, strength: Any, draws: Draws) -> Images:
    """Multiplies the saturation and adds to it; grey pixels, which have no hue, stay grey."""
    factor, added = strength
    value = images.max(axis=1, keepdims=True)
    spread = value - images.min(axis=1, keepdims=True)
    saturation = np.where(value > 0, spread / np.where(value > 0, value, 1), 0)
    changed = np.clip(saturation * factor + added, 0, 1)
    scale = np.where(saturation > 0, changed / np.where(saturation > 0, saturation, 1), 1)
    return (value - (value - images) * scale).astype(np.float32)


def contrast(images: Images, strength: Any, draws: Draws) -> Images:
    """Brings each channel nearer to its mean."""
    mean = images.mean(axis=(2, 3), keepdims=True, dtype=np.float64).astype(np.float32)
    return (images - mean) * np.float32(strength) + mean


def elastic(images: Images, strength: Any, draws: Draws) -> Images:
    """Moves pixels along a smooth random field.

    Its displacement is the same in root mean square at all places and sizes, and grows with the
    severity; the published corruption also turns and stretches the image, most at severity 1.
    """
    amount, smoothness = strength
    _, _, height, width = images.shape
    side = min(height, width)
    fields = draws.normal((2, height, width)).astype(np.float64)
    deviation = max(smoothness * side, 0.5)
    fields = ndimage.gaussian_filter(fields, (0, 0, deviation, deviation), mode="wrap")
    # Whatever the draw, so that a small image is not spared by chance.
    fields *= amount * side / np.sqrt((fields**2).mean(axis=(1, 2, 3), keepdims=True))
    places = np.stack(np.meshgrid(np.arange(height), np.arange(width), indexing="ij"))
    moved = [
        [
            ndimage.map_coordinates(channel, places + field, order=1, mode="reflect")
            for channel in image
        ]
        for image, field in zip(images, fields, strict=True)
    ]
    return np.array(moved, dtype=np.float32)


def pixelate(images: Images, strength: Any, draws: Draws) -> Images:
    """Fewer, larger pixels: means over boxes."""
    height, width = images.shape[2:]
    down, across = (_boxes(side, max(1, int(side * strength))) for side in (height, width))
    smaller = down @ images @ across.T
    rows, columns = (
        ((np.arange(side) + 0.5) * fewer / side).astype(int)
        for side, fewer in ((height, len(down)), (width, len(across)))
    )
    return np.asarray(smaller[:, :, rows][:, :, :, columns], dtype=np.float32)


def jpeg(images: Images, strength: Any, draws: Draws) -> Images:
    """Written as JPEG and read again."""
    return np.stack([_through_jpeg(image, strength) for image in images])


def _boxes(side: int, fewer: int) -> Any:
    """(fewer, side) weights: how much of each pixel lies in each of the larger ones."""
    edges = np.arange(fewer + 1) * side / fewer
    pixel = np.arange(side)
    inside = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    return (np.clip(inside, 0, None) * fewer / side).astype(np.float32)


def _through_jpeg(image: Images, quality: int) -> Images:
    pixels = np.rint(255 * image).astype(np.uint8)
    buffer = io.BytesIO()
    channels_last = pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)
    Image.fromarray(np.ascontiguousarray(channels_last)).save(buffer, "JPEG", quality=quality)
    read = np.asarray(Image.open(buffer), dtype=np.float32) / 255
    return read[None] if read.ndim == 2 else read.transpose(2, 0, 1)
