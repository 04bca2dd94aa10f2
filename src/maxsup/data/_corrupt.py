"""Images that cannot be read: counted and reported, never replaced."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

_LISTED = 200  # images at most in a message


class Corrupt(NamedTuple):
    """An image that was left out."""

    split: str
    row: int | None
    """None in a stream, whose rows have no numbers once it is shuffled."""
    path: str
    reason: str

    @property
    def place(self) -> str:
        """Where it stands, as far as that is known."""
        row = "" if self.row is None else f"row {self.row} of "
        return f"{row}split {self.split} ({self.path or 'no file name'})"

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


class CorruptImages:
    """The images of a data set that were found to be unreadable, each once.

    Args:
        limit: How many there may be.

    Example:
        >>> corrupt = CorruptImages(limit=1)
        >>> corrupt.add([Corrupt("train", 3, "cat/3.jpg", "it is empty")])
        >>> corrupt.add([Corrupt("train", 3, "cat/3.jpg", "it is empty")])  # next epoch
        >>> len(corrupt)
        1
    """

    def __init__(self, limit: int = 0) -> None:
        self.limit = limit
        self.told = 0
        """How many of them a person has been told of; a study's runs share their data."""
        self._found: dict[tuple[str, int, str], Corrupt] = {}

    def __len__(self) -> int:
        return len(self._found)

    def listed(self) -> list[Corrupt]:
        """All that were found, in the order of splits and rows."""
        return [self._found[key] for key in sorted(self._found)]

    def add(self, found: Iterable[Corrupt]) -> None:
        """Note images that could not be read.

        Raises:
            ValueError: There are more than the limit; the message lists them.
        """
        for image in found:
            row = -1 if image.row is None else image.row
            self._found.setdefault((image.split, row, image.path), image)
        if len(self) > self.limit:
            raise ValueError(
                f"{_images(len(self))} cannot be read, and --max-corrupt allows {self.limit}:\n"
                f"{list_corrupt(self.listed())}\n"
                "Repair or remove them, or allow more; they are left out then, and reported."
            )


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count:,} images"


def note_on_corrupt(corrupt: CorruptImages) -> str:
    """How many images are left out, for a data set's notes."""
    cannot = "it cannot" if len(corrupt) == 1 else "they cannot"
    return f"{_images(len(corrupt))} left out: {cannot} be read."


def list_corrupt(images: Sequence[Corrupt]) -> str:
    """Some lines that name images and say what is wrong with them."""
    lines = [f"  {image}" for image in images[:_LISTED]]
    if len(images) > _LISTED:
        lines.append(f"  and {len(images) - _LISTED} more")
    return "\n".join(lines)
