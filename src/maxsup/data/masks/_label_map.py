"""From what stands in a mask's file to labels: classes from 0 on, and void."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from maxsup.data._entry import UnreadableImageError
from maxsup.data._image_file import ImageFile
from maxsup.data.masks._settings import VOID

Labels = np.ndarray[Any, np.dtype[np.uint8]]
"""(H, W): classes from 0 on, and 255 for void."""
Values = np.ndarray[Any, Any]

_LOSSY = frozenset({"JPEG", "MPO", "JPEG2000", "AVIF"})


class UnusableMasks(ValueError):
    """Masks of a kind that no labels can be read from, however many may be left out."""


class Color(NamedTuple):
    """Red, green and blue, from 0 to 255."""

    red: int
    green: int
    blue: int

    @property
    def packed(self) -> int:
        """All in one number."""
        return self.red << 16 | self.green << 8 | self.blue

    @classmethod
    def of(cls, packed: int) -> "Color":
        """The colour that was put into one number."""
        return cls(packed >> 16, packed >> 8 & 255, packed & 255)


class MaskValues(NamedTuple):
    """What stands in a mask's file."""

    values: Values
    """(H, W): numbers, or colours packed into numbers, upright."""
    palette: Mapping[int, Color]
    """The colours of the numbers, where the file has a palette and they are not read instead."""


class LabelMap:
    """Which value of a mask's pixels means which label.

    Args:
        labels: From values to labels; a value is a number, or a colour packed into one.
        in_colors: Whether the values are colours.

    Example:
        >>> LabelMap({1: 0, 2: 1, 0: 255}).apply(np.array([[0, 1], [2, 7]])).tolist()
        [[255, 0], [1, 255]]
    """

    def __init__(self, labels: Mapping[int, int], *, in_colors: bool = False) -> None:
        self.labels, self.in_colors = dict(labels), in_colors
        self._table = np.full(256, VOID, dtype=np.uint8)
        for value, label in labels.items():
            if value < 256:
                self._table[value] = label
        self._known = np.array(sorted(labels), dtype=np.int64)
        self._of_known = np.array([labels[value] for value in self._known], dtype=np.uint8)

    def apply(self, values: Values) -> Labels:
        """The labels of values (H, W); of those that are not known, void."""
        if values.dtype == np.uint8:
            return self._table[values]
        place = np.searchsorted(self._known, values).clip(max=len(self._known) - 1)
        return np.where(self._known[place] == values, self._of_known[place], np.uint8(VOID))

    def read_labels(self, content: bytes, max_megapixels: int) -> Labels:
        """The labels in a mask's file.

        Raises:
            UnreadableImageError: It cannot be read.
        """
        try:
            return self.apply(read_values(content, max_megapixels, in_colors=self.in_colors).values)
        except UnusableMasks as error:  # it was another file when all masks were looked at
            raise UnreadableImageError(str(error), len(content)) from error

    def shown(self, value: int) -> str:
        """A value as it stands in a message."""
        return str(tuple(Color.of(value))) if self.in_colors else str(value)


def read_values(content: bytes, max_megapixels: int, *, in_colors: bool) -> MaskValues:
    """What stands in a mask's file.

    Args:
        content: The file.
        max_megapixels: How many millions of pixels may be decoded.
        in_colors: Whether colours are meant, and not the numbers that stand for them.

    Raises:
        UnreadableImageError: It cannot be read.
        UnusableMasks: It is no mask of labels.
    """
    file = ImageFile(content, max_megapixels)
    if file.format in _LOSSY or (file.format == "WEBP" and b"VP8 " in content[:64]):
        raise UnusableMasks(
            f"it is a {file.format} file, whose compression changes pixels near edges, so "
            "that labels arise that nobody drew. Write masks as PNG, from what they were made "
            "of"
        )
    if file.mode == "F":
        raise UnusableMasks("it holds floating-point numbers. Write labels as PNG of 8 bits")
    if in_colors and file.is_deep:
        raise UnusableMasks("it holds numbers of more than 8 bits, which are no colours")
    numbers = file.read_numbers(colors=in_colors)
    if numbers.dtype == bool:
        numbers = numbers.astype(np.uint8)
    if numbers.ndim == 2:
        return MaskValues(numbers, {} if in_colors else _palette(file))
    if in_colors:
        wide = numbers.astype(np.int32)
        return MaskValues(wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2], {})
    if not (numbers == numbers[..., :1]).all():
        some = np.unique(numbers.reshape(-1, numbers.shape[2]), axis=0)[:3].tolist()
        raise UnusableMasks(
            f"it is in colours (such as {', '.join(map(str, some))}), and nothing says which "
            "class each of them is. Give a table of colours with --colors: a CSV with the "
            "columns name, r, g and b"
        )
    return MaskValues(np.ascontiguousarray(numbers[..., 0]), {})


def _palette(file: ImageFile) -> dict[int, Color]:
    colors = file.palette
    return {index: Color(*colors[3 * index : 3 * index + 3]) for index in range(len(colors) // 3)}
