"""The home directory in a path; it needs nothing to be imported."""

from pathlib import Path


def expand_home(name: str | Path) -> Path:
    """A path whose ``~`` at the beginning is the home directory, as in a shell.

    Raises:
        ValueError: It is not known where that is.
    """
    try:
        return Path(name).expanduser()
    except RuntimeError as error:
        raise ValueError(f"{name}: {error} Write the whole path.") from error
