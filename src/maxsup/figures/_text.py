"""Names from outside, as text in a picture."""

import contextlib
import re
import unicodedata
import warnings
from collections.abc import Iterator


def one_line(text: str) -> str:
    """A text without line breaks and other characters that control what shows it."""
    return "".join(" " if unicodedata.category(each) == "Cc" else each for each in text)


def shorten(text: str, length: int) -> str:
    """A text that fits on a line: its beginning, where it is too long.

    >>> shorten("a rather long name", 9)
    'a rather…'
    """
    line = one_line(text)
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


@contextlib.contextmanager
def missing_glyphs(*, are_replaced: bool) -> Iterator[None]:
    """Say once in words what matplotlib warns of for every character that its font lacks.

    Args:
        are_replaced: Whether the picture leaves its text to who shows it, with fonts of their own;
            then the characters are measured wrongly at most, and nothing is said.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    missing = []
    for warning in caught:
        glyph = re.match(r"Glyph (\d+) .*missing from", str(warning.message))
        if glyph is None:
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )
        elif (character := chr(int(glyph[1]))) not in missing:
            missing.append(character)
    if missing and not are_replaced:
        warnings.warn(
            f"The picture's font has no {' '.join(missing)}; boxes stand in their place.",
            stacklevel=4,
        )
