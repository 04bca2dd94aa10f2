"""What the values in masks mean: from what a user says, what lies beside them, and their layout."""

import re
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from maxsup._home import expand_home
from maxsup.data.masks._class_names import (
    ADE20K,
    KNOWN,
    NAMES_FILES,
    TABLE_FILES,
    VOC,
    VOID_NAMES,
    ColorTable,
    class_names,
    find_beside,
    read_colors,
    read_names,
)
from maxsup.data.masks._label_map import LabelMap
from maxsup.data.masks._settings import MOST_CLASSES, VOID, MaskSettings
from maxsup.data.sources._files import counted, listed
from maxsup.data.sources._walk import Folder

_CAMVIDS_VOID = 11
_CALLED = {"ade20k": "ADE20K's", "camvid": "CamVid's", "voc": "Pascal VOC's"}
_MANY, _SPARSE = 16, 4
"""Labels that nothing names are refused where so many classes have fewer than a fourth of them."""
_ADES = ("ade20k", "adechallenge", "scene_parse_150")


class Meaning(NamedTuple):
    """What the values in masks mean."""

    classes: tuple[str, ...]
    label_map: LabelMap
    notes: tuple[str, ...]
    names_are_open: bool
    """Whether nothing says how many classes there are, so that they are numbers."""


def find_table(masks: MaskSettings, folder: Folder | None) -> tuple[ColorTable | None, str]:
    """The colours that are said to stand for classes, or that are written beside masks in colours.

    Returns:
        The table, and a sentence where it was found and not named.

    Raises:
        ValueError: It cannot be read, or what is said has no effect beside it.
    """
    if masks.colors is not None:
        path = expand_home(masks.colors)
        if not path.is_file():
            raise ValueError(f"colors: there is no file {masks.colors}.")
        return read_colors(path), ""
    beside = find_beside(folder, TABLE_FILES) if folder is not None else None
    if beside is None:
        return None, ""
    said = {
        "classes": masks.classes is not None,
        "void": masks.void != (VOID,),
        "reduce_zero_label": masks.reduce_zero_label is not None,
    }
    for option, is_said in said.items():
        if is_said:
            raise ValueError(
                f"{option} has no effect: the masks are in colours, and {beside.name} beside them "
                f"names the classes of these. Leave {option} away, or name another table with "
                "--colors."
            )
    return read_colors(beside), f"The colours of the classes are those of {beside.name}."


def meaning_of_colors(table: ColorTable) -> Meaning:
    """The classes of a table in its order, by their colours."""
    labels = {color.packed: label for label, color in enumerate(table.classes.values())}
    labels |= {color.packed: VOID for color in table.void}
    return Meaning(tuple(table.classes), LabelMap(labels, in_colors=True), (), False)


def meaning_of_numbers(
    masks: MaskSettings,
    values: Collection[int],
    *,
    name: str,
    layout: str | None,
    folder: Folder | None,
) -> Meaning:
    """The classes that numbers stand for.

    Args:
        masks: What a user says.
        values: All numbers that occur.
        name: What the data is called.
        layout: Whose folders it has.
        folder: What lies on this machine.

    Raises:
        ValueError: A file of names cannot be read, or there are too many classes.
    """
    notes: list[str] = []
    void = set(masks.void)
    names = None if masks.classes is None else class_names(masks.classes)
    beside = find_beside(folder, NAMES_FILES) if names is None and folder is not None else None
    if beside is not None:
        names = read_names(beside)
        notes.append(f"The names of the {len(names)} classes are those of {beside.name}.")
    whose = _whose(masks, name, layout, beside, max(set(values) - void, default=0))
    if whose is not None and names is None:
        names = KNOWN[whose]
        notes.append(f"The {len(names)} classes have {_CALLED[whose]} names.")
    if whose == "camvid" and _CAMVIDS_VOID in values:
        void.add(_CAMVIDS_VOID)
        notes.append(f"Label {_CAMVIDS_VOID} means void, as in CamVid.")
    reduce = masks.reduce_zero_label
    # Reduced already where 150 does not occur; in ADE20K's own folders it never is.
    if whose == "ade20k" and reduce is None and (layout == "ade20k" or len(ADE20K) in values):
        reduce = True
        notes.append("Label 0 means void and 1 is the first class, as in ADE20K.")
    first = 1 if reduce else 0
    if reduce:
        void.add(0)
    if names is None:
        highest = max((value for value in values if value not in void), default=first)
        count = min(highest - first + 1, MOST_CLASSES)
        labels = {first + label: label for label in range(count)}
        names = tuple(f"class {label}" for label in range(count))
        if highest - first < MOST_CLASSES:  # else some have no meaning, which is said
            _check_gaps([value for value in values if value not in void], count)
        if not reduce and 0 not in values and 1 in values:
            notes.append(
                "Label 0 does not occur: with --reduce-zero-label True the classes begin with 1."
            )
        notes.append(
            f"Nothing names the {counted(count, 'class', 'classes')}, so they are called by "
            "numbers: --classes names a file with a name in each line."
        )
        is_open = True
    else:
        labels, names, void_names = _without_void(names, first)
        is_open = False
        if void_names:
            notes.append(f"What is called {listed(void_names)} is void.")
    labels |= dict.fromkeys(void, VOID)
    if lost := [name for label, name in enumerate(names) if label not in labels.values()]:
        notes.append(f"The labels of {listed(lost)} mean void: no pixel is of these classes.")
    return Meaning(names, LabelMap(labels), tuple(notes), is_open)


def _check_gaps(values: Collection[int], count: int) -> None:
    """See that labels that nothing names look like numbers of classes.

    Raises:
        ValueError: They look like levels of grey.
    """
    if count >= _MANY and len(values) * _SPARSE < count:
        shown = [str(value) for value in sorted(values)]
        raise ValueError(
            f"The labels in the masks are {listed(shown, 8)}: numbered from 0 on there would be "
            f"{count} classes, nearly all of them without a pixel. Number them without gaps; or "
            "say with --classes which classes there are; or, where they are levels of grey that "
            "stand for classes, give a table of colours with --colors (name,r,g,b; grey has three "
            "equal numbers)."
        )


def _whose(
    masks: MaskSettings, name: str, layout: str | None, beside: Path | None, most: int
) -> str | None:
    """Whose classes these are, by what is said or by the data's name, where labels allow it.

    Folders alone do not tell: data of one's own is often laid out like that of others.
    """
    if masks.classes is not None:
        said = masks.classes.lower() if isinstance(masks.classes, str) else ""
        return said if said in KNOWN else None
    lower = name.lower()
    if beside is not None and beside.name.lower() == "objectinfo150.txt":
        return "ade20k"
    if most == len(ADE20K) and layout == "ade20k":
        return "ade20k"
    if any(each in lower for each in _ADES) and most <= len(ADE20K):
        return "ade20k"
    if "camvid" in lower and most <= _CAMVIDS_VOID:
        return "camvid"
    if re.match(r"voc(devkit|20\d\d)", lower) and most < len(VOC):
        return "voc"
    return None


def _without_void(
    names: tuple[str, ...], first: int
) -> tuple[dict[int, int], tuple[str, ...], list[str]]:
    """Labels of named classes; of what is called void, void."""
    labels: dict[int, int] = {}
    kept: list[str] = []
    void = []
    for place, name in enumerate(names):
        if name.lower() in VOID_NAMES:
            labels[first + place] = VOID
            void.append(name)
        else:
            labels[first + place] = len(kept)
            kept.append(name)
    return labels, tuple(kept), void
