"""An image as it stands in a data set: its content, or why it cannot be read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import fsspec
import numpy as np

Entry = Mapping[str, Any] | None
"""An undecoded image of ``datasets``: its ``bytes``, or the ``path`` of its file; None for none."""

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
"""What is read of an image."""


class UnreadableImageError(ValueError):
    """An image that cannot be read.

    Args:
        reason: Why, in a few words.
        size: How many bytes were read of it.
    """

    def __init__(self, reason: str, size: int | None = None) -> None:
        super().__init__(reason, size)  # so that it can be sent between processes
        self.reason = reason
        self.size = size

    def __str__(self) -> str:
        what = "The image" if self.size is None else f"The image of {self.size:,} bytes"
        return f"{what} cannot be decoded: {self.reason}. Repair or remove it."


def read_entry(entry: Entry) -> bytes:
    """The content of an image's file, from the data set itself or from a path or URL.

    Raises:
        UnreadableImageError: There is no image, or its file cannot be read.

    Example:
        >>> read_entry({"bytes": b"GIF89a", "path": None})
        b'GIF89a'
    """
    content, path = (entry or {}).get("bytes"), entry_path(entry)
    if content is not None:
        return bytes(content)
    if not path:
        raise UnreadableImageError("there is no image")
    try:
        if "://" not in path:
            return Path(path).read_bytes()
        with fsspec.open(path, "rb") as file:
            return bytes(file.read())
    except OSError as error:
        raise UnreadableImageError(first_line(error)) from error


def entry_path(entry: Entry) -> str:
    """The name of an image's file, as far as it has one."""
    return (entry or {}).get("path") or ""


def first_line(error: Exception) -> str:
    """What an error says, in one line."""
    text = str(error).strip()
    return text.splitlines()[0].rstrip(".") if text else repr(error)
