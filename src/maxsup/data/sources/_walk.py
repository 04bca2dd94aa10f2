"""What lies in a folder: every file once, with links followed."""

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from maxsup.data.sources._files import is_image, is_junk, listed

_NESTED_LINKS = 2
"""How often a linked folder may hold a link to another folder, and so on: folders that all link to
each other have more ways through them than can be gone."""
_DEEPEST = 64


@dataclass(frozen=True)
class Folder:
    """A folder with all that lies in it, but for what systems put there."""

    path: Path
    """Where it is."""
    place: str
    """Its path within the folder that was walked, such as ``train/cat/``; "" for that itself."""
    images: tuple[str, ...]
    """The names of the images that lie in it directly, in order."""
    others: tuple[str, ...]
    """The names of all other files that lie in it directly."""
    folders: tuple["Folder", ...]
    """Its sub-folders, in order."""
    dead_links: tuple[str, ...] = ()
    """The names of links in it that lead nowhere, or back to a folder that they lie in."""

    @property
    def name(self) -> str:
        """Its own name; that of the walked folder too."""
        return self.path.name

    def file(self, name: str) -> str:
        """The path of a file that lies in it directly."""
        return f"{self.path}{os.sep}{name}"

    @cached_property
    def image_count(self) -> int:
        """How many images lie in it and in all folders below."""
        return len(self.images) + sum(folder.image_count for folder in self.folders)

    @cached_property
    def is_empty(self) -> bool:
        """Whether no file at all lies in it or below."""
        files = (*self.images, *self.others, *self.dead_links)
        return not files and all(folder.is_empty for folder in self.folders)

    @property
    def with_images(self) -> tuple["Folder", ...]:
        """The sub-folders in which, or below which, there are images."""
        return tuple(folder for folder in self.folders if folder.image_count)

    def without(self, names: Collection[str]) -> "Folder":
        """The same without files other than images of these names, which are in lower case."""
        return replace(
            self,
            others=tuple(name for name in self.others if name.lower() not in names),
            folders=tuple(folder.without(names) for folder in self.folders),
        )

    def walk(self) -> Iterator["Folder"]:
        """The folder itself and all below it."""
        yield self
        for folder in self.folders:
            yield from folder.walk()


def walk(path: Path) -> Folder:
    """Look at all that lies in a folder; links to files and folders are followed.

    Args:
        path: An existing folder.

    Raises:
        ValueError: A folder in it cannot be read, folders lie too deep, or a name cannot be
            written as text; the message names it.
    """
    return _visit(path.absolute(), "", frozenset(), 0)


def _visit(path: Path, place: str, above: frozenset[tuple[int, int]], links: int) -> Folder:
    if place.count("/") > _DEEPEST:
        raise ValueError(f"Folders lie more than {_DEEPEST} deep: {place}.")
    try:
        found = path.stat()
        entries = sorted(os.scandir(path), key=lambda entry: entry.name)
    except OSError as error:
        reason = error.strerror or error
        raise ValueError(
            f"The folder {place or path} cannot be read ({reason}). Make it readable, or move it "
            "elsewhere."
        ) from error
    above |= {(found.st_dev, found.st_ino)}
    _check_names(place, entries)
    images, others, folders, dead = [], [], [], []
    for entry in entries:
        if is_junk(entry.name):
            continue
        kind = _kind(entry)
        if kind == "folder":
            nested = links + entry.is_symlink()
            leads = (path / entry.name).stat()  # an entry has no numbers on Windows
            if (leads.st_dev, leads.st_ino) in above or nested > _NESTED_LINKS:
                dead.append(entry.name)
            else:
                folders.append(_visit(path / entry.name, f"{place}{entry.name}/", above, nested))
        elif kind == "nothing":
            dead.append(entry.name)
        elif kind == "file" and is_image(entry.name):
            images.append(entry.name)
        else:
            others.append(entry.name)
    return Folder(path, place, tuple(images), tuple(others), tuple(folders), tuple(dead))


def _kind(entry: os.DirEntry[str]) -> str:
    try:
        # What is neither, a pipe for instance, would be waited for when it is read.
        if entry.is_file():
            return "file"
        if entry.is_dir():
            return "folder"
        entry.stat()
    except OSError:
        return "nothing"
    return "other"


def _check_names(place: str, entries: list[os.DirEntry[str]]) -> None:
    wrong = []
    for entry in entries:
        try:
            entry.name.encode()
        except UnicodeEncodeError:
            wrong.append(repr(entry.name))
    if wrong:
        raise ValueError(
            f"Names in {place or 'the folder'} cannot be read as text: {listed(wrong)}. They were "
            "written by a system with another encoding than UTF-8; rename them."
        )
