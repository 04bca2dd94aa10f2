"""Splits that are written as lists of names, as Pascal VOC has them."""

from pathlib import Path, PurePath

from maxsup.data.sources._roles import role_of_folder
from maxsup.data.sources._walk import Folder

_PLACE = ("imagesets", "segmentation")


def read_lists(root: Folder) -> dict[str, list[str]]:
    """The names, without extensions, in ``ImageSets/Segmentation/train.txt`` and its like.

    Raises:
        ValueError: A list cannot be read, or a name is in two of them.
    """
    found: dict[str, list[str]] = {}
    for folder in root.walk():
        if tuple(folder.place.lower().split("/")[-3:-1]) != _PLACE:
            continue
        for name in folder.others:
            role = role_of_folder(PurePath(name).stem)
            if role is not None and name.lower().endswith(".txt"):
                found[role] = _names(Path(folder.file(name)))
    _check_apart(found)
    return {role: found[role] for role in ("train", "validation", "test") if role in found}


def _names(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"The list {path} cannot be read as text: {error}.") from error
    return list(dict.fromkeys(line.split()[0] for line in lines if line.strip()))


def _check_apart(lists: dict[str, list[str]]) -> None:
    seen: dict[str, str] = {}
    for role, names in lists.items():
        for name in names:
            if name in seen:
                raise ValueError(
                    f"{name} is in the lists of {seen[name]} and of {role}: a model must not be "
                    "measured on what it was trained on. Take it out of one."
                )
            seen[name] = role
