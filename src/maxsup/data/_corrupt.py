"""Images that cannot be read: counted and reported, never replaced."""

from collections.abc import Iterable
from typing import NamedTuple

_LISTED = 200


class Corrupt(NamedTuple):
    """An image that was left out."""

    split: str
    row: int | None
    """None in a stream, whose rows have no numbers."""
    path: str
    reason: str

    def __str__(self) -> str:
        name = self.path or "no file name"
        place = f"split {self.split}" if self.row is None else f"row {self.row} of {self.split}"
        return f"{place} ({name}): {self.reason}"


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
        self._found: dict[tuple[str, int, str], Corrupt] = {}

    def __len__(self) -> int:
        return len(self._found)

    def listed(self) -> list[Corrupt]:
        """All that were found, in the order of splits and rows."""
        return [self._found[place] for place in sorted(self._found)]

    def add(self, found: Iterable[Corrupt]) -> None:
        """Note images that could not be read.

        Raises:
            ValueError: There are more than the limit; the message lists them.
        """
        for image in found:
            row = -1 if image.row is None else image.row
            self._found.setdefault((image.split, row, image.path), image)
        if len(self) > self.limit:
            shown = [f"  {image}" for image in self.listed()[:_LISTED]]
            if len(self) > _LISTED:
                shown.append(f"  and {len(self) - _LISTED} more")
            raise ValueError(
                f"{len(self)} images cannot be read, and --max-corrupt allows {self.limit}:\n"
                + "\n".join(shown)
                + "\nRepair or remove them, or allow more; they are left out then, and reported."
            )
