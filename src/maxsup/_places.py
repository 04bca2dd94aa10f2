"""Where runs and studies are kept: a local directory, or one of an object store."""

import re
from collections.abc import Collection
from pathlib import Path
from typing import cast

import fsspec
from upath import UPath

from maxsup._files import is_temporary
from maxsup._home import expand_home

_LOCAL = ("", "file", "local")
_CACHE_LISTINGS = ("abfs", "abfss", "az", "gcs", "gs", "s3", "s3a")
"""Stores whose clients keep listings, and would not see what other machines have written since."""

_OF_SYSTEMS = frozenset({".DS_Store", "Thumbs.db", "desktop.ini", "lost+found"})


def as_place(name: str | Path | UPath) -> Path:
    """The directory or file of that name, on this machine or wherever ``fsspec`` reaches.

    Args:
        name: A path, or a URL such as ``s3://bucket/runs/mine``, ``gs://…``, ``memory://…`` or
            ``file:///…``.

    Returns:
        A :class:`pathlib.Path`, also for ``file://``; for other URLs a ``UPath``, which has those
        of its methods that reading and writing need.

    Raises:
        ValueError: No such store is known.
        ModuleNotFoundError: The store needs a package that is not installed; the message names it.

    A path that begins with ``~`` lies in the home directory, whether or not a shell has seen it.

    >>> as_place("file:///data/runs"), as_place("runs/mine")
    (PosixPath('/data/runs'), PosixPath('runs/mine'))
    >>> as_place("memory://runs") / "mine"
    MemoryPath('/runs/mine', protocol='memory')
    """
    if isinstance(name, Path):
        return expand_home(name)
    if isinstance(name, str):
        scheme, separator, _ = name.partition("://")
        if not separator:
            _check_no_store(name)
            return expand_home(name)
        if scheme in _LOCAL:
            return Path(fsspec.core.strip_protocol(name))
        _check_store(name, scheme)
        options = {"use_listings_cache": False} if scheme in _CACHE_LISTINGS else {}
        return cast(Path, UPath(name, **options))
    return Path(name.path) if name.protocol in _LOCAL else cast(Path, name)


def _check_no_store(name: str) -> None:
    """See that a path is no URL of a store that was written wrongly.

    Raises:
        ValueError: It is.
    """
    scheme, colon, rest = name.partition(":")
    # One letter before a colon is a drive of Windows.
    is_store = colon and re.fullmatch(r"[a-z][a-z0-9+.-]+", scheme) and scheme not in _LOCAL
    if is_store and scheme in fsspec.available_protocols() and not Path(name).exists():
        below = rest.lstrip("/") or "bucket/runs"
        raise ValueError(
            f"{name} is no directory and no URL. Write {scheme}://{below} for a store, or ./{name} "
            "for a directory that is called so."
        )


def _check_store(name: str, scheme: str) -> None:
    try:
        fsspec.get_filesystem_class(scheme)
    except ImportError as error:
        raise ModuleNotFoundError(
            f"{name} needs a package that is not installed ({error}).", name=error.name
        ) from error
    except ValueError as error:
        raise ValueError(
            f"{name}: no store is known by {scheme}://. Name a local directory, or a URL of a "
            "store that fsspec reaches, such as s3://bucket/runs or gs://bucket/runs."
        ) from error


def strangers(directory: Path, known: Collection[str] = ()) -> list[str]:
    """The names of what lies in a directory and is not known, in order.

    What systems leave everywhere by themselves does not count, nor what a process of this package
    had begun to write when it was killed.
    """
    try:
        names = sorted(path.name for path in directory.iterdir() if not is_temporary(path))
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [
        name
        for name in names
        if name not in known and name not in _OF_SYSTEMS and not name.startswith(".nfs")
    ]
