"""Where predictions of a run lie, and how its method and seed are read off that."""

import re

from maxsup._method_names import MethodName

SUFFIXES = (".npz", ".safetensors", ".parquet", ".csv")
"""What predictions can be kept in."""
FILE_STEM = "predictions"
"""The name of the file, without its suffix, where a run has a directory of its own."""

_SEED = re.compile(r"(?:seed)?[-_ ]?(\d+)", re.IGNORECASE)
_RESERVED = re.compile(r"[/\\\x00-\x1f\x7f]")


def method_directory(method: str) -> str:
    """The directory of a method, which may be called anything that a directory can be.

    Coefficients are written as for maxsup's own methods; any other name stands for itself.

    Raises:
        ValueError: No directory can be called so.

    Example:
        >>> method_directory("maxsup:alpha=0.1..0.2"), method_directory("my loss")
        ('maxsup-alpha-0.1-to-0.2', 'my loss')
    """
    if not isinstance(method, str):
        raise ValueError(f"method must be text; got {method!r}.")
    directory = MethodName.read(method).directory
    if (
        not directory
        or _RESERVED.search(method)
        or directory != directory.strip()
        or directory[0] in ".-"
        or len(directory.encode(errors="replace")) > 200
    ):
        raise ValueError(
            f"method {method!r} cannot be the name of a directory, which begins with a letter or "
            "digit and has no slash; call it otherwise."
        )
    return directory


def method_of(directory: str, kept: str | None) -> str:
    """The method whose runs a directory holds.

    Args:
        directory: Its name.
        kept: The name that a file in it was given, which has coefficients that a directory's name
            cannot show.

    Example:
        >>> method_of("maxsup-alpha-0.1", "maxsup:alpha=0.1"), method_of("renamed", "maxsup")
        ('maxsup:alpha=0.1', 'renamed')
    """
    try:
        if kept is not None and method_directory(kept) == directory:
            return str(MethodName.read(kept))
    except ValueError:
        pass
    return str(MethodName.read(directory))


def seed_of(stem: str) -> int | None:
    """The seed that a file or directory is named after.

    Example:
        >>> [seed_of(stem) for stem in ("seed-3", "seed_03", "3", "best")]
        [3, 3, 3, None]
    """
    found = _SEED.fullmatch(stem)
    return int(found[1]) if found else None
