"""The part of a photograph that a model is measured on."""

from maxsup.data._entry import Pixels
from maxsup.data.photographs._crop import centre_box
from maxsup.data.photographs._jpeg import decode_crop
from maxsup.data.photographs._settings import PhotographSettings


def read_central_part(content: bytes, settings: PhotographSettings) -> Pixels:
    """The central part of a photograph, (size, size, 3) uint8, in memory of its own.

    Args:
        content: The photograph's file.
        settings: Its size, its fraction of the shorter side, and how it is resized.

    Raises:
        UnreadableImageError: The image cannot be read.
    """
    return decode_crop(
        content,
        lambda width, height: centre_box(width, height, settings.crop),
        settings.size,
        interpolation=settings.interpolation,
        max_megapixels=settings.max_megapixels,
    )
