"""Which folders are splits, and which are classes."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from maxsup.data._settings import DataSettings
from maxsup.data.sources._files import listed
from maxsup.data.sources._roles import Role, role_in_name, role_of_folder
from maxsup.data.sources._walk import Folder

_ORDER = ("train", "validation", "test", None)


class SplitFolders(NamedTuple):
    """The folders of a data set's splits."""

    splits: dict[str, Folder]
    """By name: what the folder is for, or else its own name; empty where no folder is a split."""
    unused: tuple[Folder, ...] = ()
    """Folders with images beside them that are neither splits nor classes."""
    notes: tuple[str, ...] = ()


def find_split_folders(
    top: Folder, settings: DataSettings, *, labelled: bool = True
) -> SplitFolders:
    """Take the folders at the top for splits, where their names and what lies in them say so.

    Folders called train, val or test (or something like it) are splits if all folders beside them
    are so too and they hold class sub-folders. A folder called so among others is a class if the
    images lie in it directly.

    Args:
        top: The folder below which the images lie.
        settings: A split that is named in them decides where it could be both.
        labelled: Whether images must be of classes; else they may lie in the splits directly.

    Raises:
        ValueError: It cannot be decided; the message says how to.
    """
    folders = top.with_images
    roles = {folder.name: role_of_folder(folder.name) for folder in folders}
    loose = {folder.name: role_in_name(folder.name) for folder in folders}
    if _are_parts_of_one(folders, loose):
        roles = loose
    named = sorted(
        (folder for folder in folders if roles[folder.name]),
        key=lambda folder: _ORDER.index(roles[folder.name]),
    )
    rest = [folder for folder in folders if not roles[folder.name]]
    asked = _asked_for(settings, folders)
    if not named and not (asked and all(folder.with_images for folder in folders)):
        return SplitFolders({})
    if named and not any(folder.with_images for folder in named):
        if not labelled and rest:
            return SplitFolders({})
        if rest:
            return SplitFolders({}, notes=(_called_like_splits(named, rest),))
        if labelled:
            raise ValueError(_without_classes(named))
    if rest and not asked and not _are_parts_of_one(folders, roles):
        raise ValueError(
            f"It cannot be told whether {_places(named)} of {settings.name} "
            f"{'is a split' if len(named) == 1 else 'are splits'} or classes: there are class "
            f"sub-folders, as in splits, and beside lies {_places(rest)}. "
            + (
                "To take the folders for splits, name one of them: --train-split "
                f"{named[0].name}. To take them for classes, give them other names."
                if labelled
                else f"Name the folder that is meant instead, as {settings.name}/{named[0].name}."
            )
        )
    twice = [role for role, count in Counter(roles.values()).items() if count > 1]
    splits: dict[str, Folder] = {}
    for folder in (*named, *(folder for folder in rest if folder.with_images)):
        name = roles[folder.name] or folder.name
        if asked and name in twice:
            name = folder.name
        if name in splits:
            raise ValueError(
                f"{_places([splits[name], folder])} of {settings.name} would both be the split "
                f"{name}. Put them into one, or name one: --{name}-split {folder.name}."
            )
        splits[name] = folder
    unused = tuple(folder for folder in rest if not folder.with_images)
    return SplitFolders(splits, unused, tuple(_renamed(splits)))


def _without_classes(splits: Sequence[Folder]) -> str:
    return (
        f"The images in {_places(splits)} lie in no class sub-folders, so nothing says which "
        f"classes they are of. Sort them into {splits[0].name}/CLASS/ and so on, or list them "
        "in a metadata.csv with the columns file_name and label. If these names are the "
        "classes, give the folders other names."
    )


def _are_parts_of_one(folders: Iterable[Folder], roles: Mapping[str, Role | None]) -> bool:
    """Whether folders that are called like splits, one to train on, hold classes of same names."""
    named = [folder for folder in folders if roles[folder.name]]
    train = [folder for folder in named if roles[folder.name] == "train"]
    if len(named) < 2 or len(train) != 1:
        return False
    classes = _names_of_classes(train[0])
    return all(classes & _names_of_classes(folder) for folder in named)


def _names_of_classes(split: Folder) -> set[str]:
    return {each.name for each in split.walk() if each.images and each is not split}


def _asked_for(settings: DataSettings, folders: Iterable[Folder]) -> bool:
    """Whether the user names one of these folders as a split."""
    asked = (settings.train_split, settings.validation_split, settings.test_split)
    names = {name.partition("[")[0].lower() for name in asked if name is not None}
    return any(folder.name.lower() in names for folder in folders)


def _called_like_splits(named: list[Folder], rest: list[Folder]) -> str:
    taken, them = ("is taken for a class", "it")
    if len(named) > 1:
        taken, them = ("are taken for classes", "them")
    return (
        f"{_places(named)} {taken}, as images lie directly in {them}, and beside lies "
        f"{_places(rest)}."
    )


def _renamed(splits: dict[str, Folder]) -> Iterable[str]:
    renamed = [
        f"{folder.name}/ as {name}" for name, folder in splits.items() if name != folder.name
    ]
    if renamed:
        yield f"Folders are taken for splits: {listed(renamed)}."


def _places(folders: Iterable[Folder]) -> str:
    return listed(f"{folder.name}/" for folder in folders)
