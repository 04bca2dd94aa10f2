"""Names from outside, as text in a picture."""

import contextlib
import re
import textwrap
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


def in_lines(text: str, length: int, most: int = 3) -> str:
    r"""A text in lines that fit, broken behind its commas where it can be.

    >>> in_lines("Label smoothing, α 0.1 → 0.2", 18)
    'Label smoothing,\nα 0.1 → 0.2'
    """
    pieces = [
        piece.replace(" ", "\N{NO-BREAK SPACE}") if len(piece) < length else piece
        for piece in one_line(text).split(", ")
    ]
    lines = textwrap.wrap(", ".join(pieces), length)
    if len(lines) > most:
        lines[most - 1 :] = [shorten(" ".join(lines[most - 1 :]), length)]
    return "\n".join(lines).replace("\N{NO-BREAK SPACE}", " ")


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
