"""Names from outside, as text in a picture."""

import contextlib
import re
import textwrap
import unicodedata
import warnings
from collections.abc import Iterator, Sequence


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


def shorten_apart(texts: Sequence[str], length: int) -> list[str]:
    """Texts that fit on a line, of which no two that differ are cut to the same.

    Where the beginnings are alike, the ends stay; where both are, a number tells them apart.

    >>> shorten_apart(["northern grey owl", "northern elf owl", "owl"], 10)
    ['north…owl', 'north…owl (2)', 'owl']
    >>> shorten_apart(["species of owl, barn", "species of owl, grey"], 10)
    ['speci…barn', 'speci…grey']
    """
    lines = [one_line(text) for text in texts]
    distinct = len({*lines})
    cut = [shorten(line, length) for line in lines]
    if len({*cut}) == distinct:
        return cut
    cut = [line if len(line) <= length else _middle_out(line, length) for line in lines]
    if len({*cut}) == distinct:
        return cut
    numbers: dict[str, dict[str, int]] = {}
    for line, short in zip(lines, cut, strict=True):
        numbers.setdefault(short, {}).setdefault(line, len(numbers[short]) + 1)
    told = [
        short if numbers[short][line] == 1 else f"{short} ({numbers[short][line]})"
        for line, short in zip(lines, cut, strict=True)
    ]
    return told if len({*told}) == distinct else lines


def _middle_out(line: str, length: int) -> str:
    behind = (length - 1) // 2
    return f"{line[: length - 1 - behind].rstrip()}…{line[-behind:].lstrip()}"


def in_lines(text: str, length: int) -> str:
    r"""A text in as many lines as it needs, broken behind its commas where it can be.

    Nothing is cut off, so that names stay apart.

    >>> in_lines("Label smoothing, α 0.1 → 0.2", 18)
    'Label smoothing,\nα 0.1 → 0.2'
    """
    pieces = [
        piece.replace(" ", "\N{NO-BREAK SPACE}") if len(piece) < length else piece
        for piece in one_line(text).split(", ")
    ]
    lines = textwrap.wrap(", ".join(pieces), length)
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
