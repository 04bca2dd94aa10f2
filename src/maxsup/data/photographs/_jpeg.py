"""From a photograph's file to a crop of it, for training.

Only what the crop needs is decoded: the rows below it are left out, and a crop of at least twice
the size wanted is decoded at a half, a quarter or an eighth, which JPEG gives for less than the
whole.
"""

from collections.abc import Callable

import numpy as np
import simplejpeg
import torch
from PIL import Image
from torch.nn.functional import interpolate

from maxsup.data._entry import Pixels
from maxsup.data._image_file import MAX_MEGAPIXELS, ImageFile, too_large
from maxsup.data._orientation import stored_box, turn_upright, upright_size
from maxsup.data.photographs._crop import Box
from maxsup.data.photographs._jpeg_header import JpegHeader, keep_first_rows, read_jpeg_header
from maxsup.data.photographs._settings import Interpolation

RESAMPLING = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
_SCALES = (8, 4, 2)


def decode_crop(
    content: bytes,
    choose: Callable[[int, int], Box],
    size: int,
    *,
    interpolation: Interpolation = "bilinear",
    max_megapixels: int = MAX_MEGAPIXELS,
) -> Pixels:
    """Decode a part of an image file and resize it to a square, with antialiasing.

    The result is that of decoding all with Pillow, cropping and resizing, to within rounding; where
    the crop has twice the size or more, scaled decoding stands for a part of the antialiasing.
    The image is turned upright as EXIF says, grey of 16 bits is scaled to 8, and transparent parts
    show a white background.

    Args:
        content: The file: JPEG, or whatever else Pillow reads.
        choose: From width and height, upright, to the part to take; called once.
        size: Side of the result.
        interpolation: How to resize.
        max_megapixels: How many millions of pixels may be decoded.

    Returns:
        (size, size, 3) uint8, RGB, in memory of its own.

    Raises:
        UnreadableImageError: The file is corrupt, or too much of it would have to be decoded.
        ValueError: The box lies outside of the image, or an argument is not what it may be.

    Example:
        >>> import io
        >>> file = io.BytesIO()
        >>> Image.new("RGB", (640, 480), (250, 120, 0)).save(file, "JPEG")
        >>> from maxsup.data import centre_box
        >>> pixels = decode_crop(file.getvalue(), lambda w, h: centre_box(w, h, 224 / 256), 224)
        >>> pixels.shape, pixels[0, 0].round(-1).tolist()
        ((224, 224, 3), [250, 120, 0])
    """
    if interpolation not in RESAMPLING:
        raise ValueError(f"interpolation must be bilinear or bicubic; got {interpolation!r}.")
    if size < 1:
        raise ValueError(f"size must be at least 1; got {size}.")
    header = read_jpeg_header(content)
    if header is None:
        return _decode_by_pillow(content, choose, size, interpolation, max_megapixels)
    width, height = upright_size(header.width, header.height, header.orientation)
    box = _checked(choose(width, height), width, height)
    stored = Box(*stored_box(box, width, height, header.orientation))
    # The decoder shrinks colour evenly, which its coarser direction has to bear.
    scale = _scale(stored, size * header.stretch)
    if _count_decoded(stored, header, scale) > max_megapixels * 10**6:
        raise too_large(header.width, header.height, len(content), max_megapixels)
    try:
        pixels = _decode_down_to(stored.top + stored.height, content, header, scale)
    except ValueError:
        # Pillow is patient with some of what simplejpeg refuses, and has the better reasons.
        return _decode_by_pillow(content, lambda w, h: box, size, interpolation, max_megapixels)
    resized = _resize(pixels, stored, scale, size, interpolation)
    return np.ascontiguousarray(turn_upright(resized, header.orientation))


def _count_decoded(box: Box, header: JpegHeader, scale: int) -> int:
    """About how many pixels are in memory at a time."""
    if not header.is_sequential:  # all coefficients are, whatever is made of them
        return header.width * header.height
    return (box.top + box.height) * header.width // scale**2


def _scale(box: Box, size: int) -> int:
    """By how much the image may shrink so that the box keeps the size."""
    return next((scale for scale in _SCALES if min(box.height, box.width) >= scale * size), 1)


def _decode_down_to(bottom: int, content: bytes, header: JpegHeader, scale: int) -> Pixels:
    """The rows above ``bottom``, or more, with height and width divided by ``scale``."""
    part, rows = keep_first_rows(content, header, bottom)
    height, width = -(-rows // scale), -(-header.width // scale)
    wanted = {"min_height": height, "min_width": width, "min_factor": scale} if scale > 1 else {}
    # Not strict: what is left of the rows below would be an error.
    pixels: Pixels = simplejpeg.decode_jpeg(part, "RGB", strict=False, **wanted)
    if pixels.shape != (height, width, 3):
        raise ValueError(f"decoded {pixels.shape} in place of {(height, width, 3)}")
    return pixels


def _resize(
    pixels: Pixels, box: Box, scale: int, size: int, interpolation: Interpolation
) -> Pixels:
    """Crop and resize; the box is in pixels before they shrank."""
    if any(side % scale for side in box):
        # Between two pixels: Pillow alone takes such a box.
        top, left, height, width = (side / scale for side in box)
        edges = (left, top, left + width, top + height)
        filled = Image.fromarray(pixels)
        return np.array(filled.resize((size, size), RESAMPLING[interpolation], edges))
    top, left, height, width = (side // scale for side in box)
    cropped = pixels[top : top + height, left : left + width]
    if (height, width) == (size, size):
        return cropped.copy()
    # As Pillow's to within a level or two, in a quarter of the time; provided that torch is told
    # that the channels come last, or it brings them there again.
    image = torch.from_numpy(cropped).permute(2, 0, 1).unsqueeze(0)
    image = image.contiguous(memory_format=torch.channels_last)
    resized = interpolate(image, (size, size), mode=interpolation, antialias=True)
    result: Pixels = resized[0].permute(1, 2, 0).contiguous().numpy()
    return result


def _decode_by_pillow(
    content: bytes,
    choose: Callable[[int, int], Box],
    size: int,
    interpolation: Interpolation,
    max_megapixels: int,
) -> Pixels:
    file = ImageFile(content, max_megapixels)
    width, height = file.size
    box = _checked(choose(width, height), width, height)
    wanted = _scale(box, size)
    scale = file.shrink(width // wanted, height // wanted)
    return _resize(np.array(file.read().convert("RGB")), box, scale, size, interpolation)


def _checked(box: Box, width: int, height: int) -> Box:
    inside = box.top >= 0 and box.left >= 0 and box.height > 0 and box.width > 0
    if not inside or box.top + box.height > height or box.left + box.width > width:
        raise ValueError(f"{box} does not lie in an image of {width}×{height} pixels.")
    return box
