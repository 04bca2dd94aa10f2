"""An image file of any kind, opened: its pixels are read upright, in 8 bits, and opaque."""

import contextlib
import io
import os
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from maxsup.data._entry import UnreadableImageError, first_line
from maxsup.data._modes import brightest, is_deep, is_grey, to_eight_bits
from maxsup.data._orientation import UPRIGHT, orientation_in, turn_upright, upright_size

MAX_MEGAPIXELS = 100
"""What is decoded at the most of one image, unless a user allows more."""

_pillows_limit = threading.Lock()


def _renew_lock() -> None:
    global _pillows_limit
    _pillows_limit = threading.Lock()


if hasattr(os, "register_at_fork"):  # a thread of the parent may have held it
    os.register_at_fork(after_in_child=_renew_lock)


class ImageFile:
    """An image file, opened with Pillow; of several images in it, the first.

    Args:
        content: The file.
        max_megapixels: How many millions of pixels may be decoded.

    Raises:
        UnreadableImageError: It is no image that Pillow knows, it has no pixels, or it has too many
            and is not of a kind that can be decoded at a part of its size.

    Example:
        >>> file = io.BytesIO()
        >>> Image.new("RGB", (640, 480)).save(file, "JPEG")
        >>> image = ImageFile(file.getvalue())
        >>> image.size, image.shrink(150, 100), image.read().size
        ((640, 480), 4, (160, 120))
    """

    def __init__(self, content: bytes, max_megapixels: int = MAX_MEGAPIXELS) -> None:
        self._content, self._max_megapixels = content, max_megapixels
        with _explained(content):
            self._image = _open(content)
            if 0 in self._image.size:
                raise UnreadableImageError("it has no pixels", len(content))
            self.is_deep = is_deep(self._image)
            """Whether its numbers have more than 8 bits, and are scaled."""
            if not isinstance(self._image, JpegImageFile):
                # EXIF may come after the pixels, and Pillow turns TIFF upright when it reads them.
                self._check_size()
                self._image.load()
            self.orientation = _orientation(self._image)
            """What EXIF says that is still to be done, from 1 to 8."""

    @property
    def format(self) -> str:
        """What Pillow calls the kind of file: ``JPEG``, ``PNG`` and so on."""
        return self._image.format or ""

    @property
    def mode(self) -> str:
        """Pillow's mode of the pixels as they are stored."""
        return self._image.mode

    @property
    def palette(self) -> list[int]:
        """Red, green and blue of each index, one after the other; nothing without a palette."""
        return (self._image.getpalette("RGB") or []) if self._image.mode in ("P", "PA") else []

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, upright."""
        return upright_size(*self._image.size, self.orientation)

    @property
    def is_grey(self) -> bool:
        """Whether it has no colour by its kind."""
        return is_grey(self._image)

    @property
    def is_too_large(self) -> bool:
        """Whether it has more pixels than may be decoded."""
        width, height = self._image.size
        return width * height > self._max_megapixels * 10**6

    def brightest(self) -> float:
        """The brightest pixel by white, of an image of more than 8 bits."""
        with _explained(self._content):
            return brightest(self._image)

    def shrink(self, width: int, height: int) -> int:
        """Have it decoded smaller, where its kind gives that for less; at least of this size.

        Returns:
            By how much it shrinks: 8, 4, 2 or 1.
        """
        if not isinstance(self._image, JpegImageFile):
            return 1
        before = self._image.size[0]
        drafted = self._image.draft(None, upright_size(width, height, self.orientation))
        return 1 if drafted is None else round(before / drafted[1][2])

    def read(self) -> Image.Image:
        """The pixels, upright: of mode L if it is grey, else RGB.

        Raises:
            UnreadableImageError: They cannot be read, or there are too many of them.
        """
        self._check_size()
        with _explained(self._content):
            image = to_eight_bits(self._image)
            image.load()
        if self.orientation == UPRIGHT:
            return image
        turned = turn_upright(np.asarray(image), self.orientation)
        return Image.fromarray(np.ascontiguousarray(turned))

    def read_nonzero(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Which pixels are not 0, (H, W), upright.

        Of a palette the index counts, of colours any channel, and not how transparent they are.

        Raises:
            UnreadableImageError: They cannot be read, or there are too many of them.
        """
        numbers = self.read_numbers()
        return np.asarray((numbers if numbers.ndim == 2 else numbers.max(axis=2)) != 0)

    def read_numbers(self, *, colors: bool = False) -> np.ndarray[Any, Any]:
        """The numbers as they are stored, upright: (H, W), or (H, W, C) of colours.

        Of a palette these are the indices; how transparent pixels are is left out.

        Args:
            colors: Whether to take the colours instead, (H, W, 3), of a palette and of grey too.

        Raises:
            UnreadableImageError: They cannot be read, or there are too many of them.
        """
        self._check_size()
        with _explained(self._content):
            image = self._image
            image.load()
            if colors and not is_deep(image):
                image = image.convert("RGBA" if image.has_transparency_data else "RGB")
            has_alpha = image.mode in ("LA", "PA", "RGBA", "La", "RGBa")
            numbers: np.ndarray[Any, Any] = np.asarray(image)
        if numbers.ndim == 3 and has_alpha:
            numbers = numbers[..., :-1] if numbers.shape[2] > 2 else numbers[..., 0]
        return np.ascontiguousarray(turn_upright(numbers, self.orientation))

    def _check_size(self) -> None:
        if self.is_too_large:
            width, height = self._image.size
            raise too_large(width, height, len(self._content), self._max_megapixels)


def too_large(width: int, height: int, size: int, max_megapixels: int) -> UnreadableImageError:
    """What is said of an image with more pixels than may be decoded."""
    return UnreadableImageError(
        f"{width:,}×{height:,} pixels to decode are more than the {max_megapixels} megapixels that "
        "--max-megapixels allows",
        size,
    )


def _open(content: bytes) -> Image.Image:
    # Pillow warns of, or refuses, what is many pixels to it; here the user's own limit counts. It
    # has no other switch than one for the whole process, so for the moment of opening alone.
    with _pillows_limit:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(io.BytesIO(content))
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _orientation(image: Image.Image) -> int:
    if image.format == "TIFF":
        return UPRIGHT
    try:
        return orientation_in(image.getexif())
    except Exception:  # Pillow has many errors for damaged EXIF, and the pixels may be sound
        return UPRIGHT


@contextlib.contextmanager
def _explained(content: bytes) -> Iterator[None]:
    """Turn the dozens of kinds of errors that Pillow has for damaged files into one."""
    try:
        yield
    except (UnreadableImageError, MemoryError):
        raise
    except Exception as error:
        reason = first_line(error)
        if "cannot identify" in reason:  # it names an object in memory
            reason = "no known image format" if content else "it is empty"
        raise UnreadableImageError(reason, len(content)) from error
