"""How photographs are written anew; it needs nothing to be imported."""

import re
from dataclasses import dataclass

from maxsup._fields import settle_fields

_UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}


@dataclass(frozen=True)
class ShrinkSettings:
    """How images are written anew.

    Raises:
        ValueError: A number is out of range.
    """

    short_side: int = 320
    """Pixels of the shorter side; smaller images keep their size."""
    quality: int = 90
    """Quality of the JPEG, from 1 to 95."""

    def __post_init__(self) -> None:
        settle_fields(self)
        if self.short_side < 1:
            raise ValueError(f"short_side must be at least 1 pixel; got {self.short_side}.")
        if not 1 <= self.quality <= 95:
            raise ValueError(f"quality must lie in [1, 95]; got {self.quality}.")


def read_bytes(text: str) -> int:
    """A number of bytes from how people write it.

    Raises:
        ValueError: It is not written so.

    Example:
        >>> read_bytes("512MB"), read_bytes("1.5 GB")
        (512000000, 1500000000)
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?([KMG]?B)?", text.strip().upper())
    if match is None:
        raise ValueError(f"A size is written as 512MB or 2GB; got {text!r}.")
    return int(float(match[1]) * _UNITS[match[2] or "B"])
