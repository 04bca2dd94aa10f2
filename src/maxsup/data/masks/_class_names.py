"""The names of the classes in masks, and the colours that stand for them."""

import csv
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from maxsup._home import expand_home
from maxsup.data.masks._label_map import Color
from maxsup.data.masks._settings import MOST_CLASSES
from maxsup.data.sources._files import counted, listed, suffix_of
from maxsup.data.sources._walk import Folder

CAMVID = (
    "sky", "building", "pole", "road", "pavement", "tree", "sign-symbol", "fence", "car",
    "pedestrian", "bicyclist",
)  # fmt: skip
"""Of Badrinarayanan et al. 2017 (SegNet), in their order."""
ADE20K = (
    "wall", "building", "sky", "floor", "tree", "ceiling", "road", "bed", "windowpane", "grass",
    "cabinet", "sidewalk", "person", "earth", "door", "table", "mountain", "plant", "curtain",
    "chair", "car", "water", "painting", "sofa", "shelf", "house", "sea", "mirror", "rug", "field",
    "armchair", "seat", "fence", "desk", "rock", "wardrobe", "lamp", "bathtub", "railing",
    "cushion", "base", "box", "column", "signboard", "chest of drawers", "counter", "sand", "sink",
    "skyscraper", "fireplace", "refrigerator", "grandstand", "path", "stairs", "runway", "case",
    "pool table", "pillow", "screen door", "stairway", "river", "bridge", "bookcase", "blind",
    "coffee table", "toilet", "flower", "book", "hill", "bench", "countertop", "stove", "palm",
    "kitchen island", "computer", "swivel chair", "boat", "bar", "arcade machine", "hovel", "bus",
    "towel", "light", "truck", "tower", "chandelier", "awning", "streetlight", "booth",
    "television receiver", "airplane", "dirt track", "apparel", "pole", "land", "bannister",
    "escalator", "ottoman", "bottle", "buffet", "poster", "stage", "van", "ship", "fountain",
    "conveyer belt", "canopy", "washer", "plaything", "swimming pool", "stool", "barrel", "basket",
    "waterfall", "tent", "bag", "minibike", "cradle", "oven", "ball", "food", "step", "tank",
    "trade name", "microwave", "pot", "animal", "bicycle", "lake", "dishwasher", "screen",
    "blanket", "sculpture", "hood", "sconce", "vase", "traffic light", "tray", "ashcan", "fan",
    "pier", "crt screen", "plate", "monitor", "bulletin board", "shower", "radiator", "glass",
    "clock", "flag",
)  # fmt: skip
"""Of Zhou et al. 2017, the first of the names that objectInfo150.txt gives to each."""
VOC = (
    "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair",
    "cow", "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa",
    "train", "tvmonitor",
)  # fmt: skip
"""Of Everingham et al. 2010, Pascal VOC."""
KNOWN = {"ade20k": ADE20K, "camvid": CAMVID, "voc": VOC}

NAMES_FILES = (
    "objectinfo150.txt",
    "classes.txt",
    "codes.txt",
    "labels.txt",
    "class_names.txt",
    *("classes.json", "id2label.json"),
)
TABLE_FILES = ("class_dict.csv", "label_colors.txt", "classes.csv", "colors.csv")
"""Files that give their colours."""
VOID_NAMES = frozenset({"void", "unlabelled", "unlabeled", "ignore", "ignored"})


class ColorTable(NamedTuple):
    """The classes that colours stand for."""

    classes: Mapping[str, Color]
    void: tuple[Color, ...]
    """Those of pixels that do not count."""


def class_names(said: tuple[str, ...] | str) -> tuple[str, ...]:
    """The names that are said, known by a name, or written in a file.

    Raises:
        ValueError: There is no such file, or it holds no names.

    Example:
        >>> len(class_names("ade20k")), class_names("camvid")[0]
        (150, 'sky')
    """
    if isinstance(said, tuple):
        return said
    if said.lower() in KNOWN:
        return KNOWN[said.lower()]
    path = expand_home(said)
    if not path.is_file():
        raise ValueError(
            f"classes: {said!r} is none of {', '.join(KNOWN)} and no file. Name a file with the "
            "name of a class in each line, in the order of the labels."
        )
    return read_names(path)


def read_names(path: Path) -> tuple[str, ...]:
    """The names in a file: one in each line, a JSON list, or ADE20K's objectInfo150.txt.

    Raises:
        ValueError: They are not to be read, or are not two to 254 that differ.
    """
    text = _text(path, "classes")
    if suffix_of(path.name) == ".json":
        names = _names_in_json(path, text)
    else:
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        is_table = bool(lines) and re.match(r"idx\s+ratio\s", lines[0], re.IGNORECASE)
        names = _first_names(lines[1:]) if is_table else lines
        if names[:1] == ["__ignore__"]:  # labelme's, whose number is −1
            names = names[1:]
    if len(names) < 2 or len(names) > MOST_CLASSES or len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        what = f", {listed(twice)} more than once" if twice else ""
        raise ValueError(
            f"classes: {path} holds {counted(len(names), 'name')}{what}. Expected are 2 to "
            f"{MOST_CLASSES} names that differ, one in each line."
        )
    return tuple(names)


def read_colors(path: Path) -> ColorTable:
    """A table of colours: a CSV of name, r, g, b, a JSON of names, or CamVid's label_colors.txt.

    Raises:
        ValueError: It is not to be read, or two classes have one colour.
    """
    rows = _rows(path, _text(path, "colors"))
    classes: dict[str, Color] = {}
    void: list[Color] = []
    for name, numbers in rows:
        try:
            color = Color(*(int(number) for number in numbers))
        except (TypeError, ValueError):
            color = Color(-1, -1, -1)
        if not all(0 <= part <= 255 for part in color):
            raise ValueError(
                f"colors: {path} gives {name!r} the colour {list(numbers)}; expected are red, "
                "green and blue, whole numbers from 0 to 255."
            )
        if color in classes.values() or color in void:
            raise ValueError(f"colors: {path} gives the colour {tuple(color)} to two classes.")
        if name.lower() in VOID_NAMES:
            void.append(color)
        elif name in classes:
            raise ValueError(f"colors: {path} names {name!r} twice.")
        else:
            classes[name] = color
    if not 2 <= len(classes) <= MOST_CLASSES:
        raise ValueError(
            f"colors: {path} holds {counted(len(classes), 'class', 'classes')}; expected are 2 to "
            f"{MOST_CLASSES}, beside void."
        )
    return ColorTable(classes, tuple(void))


def find_beside(root: Folder, names: tuple[str, ...]) -> Path | None:
    """A file of one of these names that lies in a folder, or around its images."""
    for folder in root.walk():
        for wanted in names:
            for name in folder.others:
                if name.lower() == wanted:
                    return Path(folder.file(name))
    return None


def _first_names(lines: list[str]) -> list[str]:
    """The first name of each row of objectInfo150.txt, whose last column holds several."""
    return [re.split(r"\t+|\s{2,}", line)[-1].split(",")[0].strip() for line in lines]


def _names_in_json(path: Path, text: str) -> list[str]:
    found = _json(path, text, "classes")
    if isinstance(found, dict) and all(str(key).isdigit() for key in found):  # as id2label has it
        found = [found[key] for key in sorted(found, key=int)]
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise ValueError(f"classes: {path} must hold a list of names.")
    return found


def _rows(path: Path, text: str) -> list[tuple[str, list[Any]]]:
    if suffix_of(path.name) == ".json":
        found = _json(path, text, "colors")
        if not isinstance(found, dict) or not all(isinstance(v, list) for v in found.values()):
            raise ValueError(f"colors: {path} must hold names with their [r, g, b].")
        return [(name, list(color)) for name, color in found.items()]
    lines = [line for line in text.splitlines() if line.strip()]
    plain = [re.fullmatch(r"\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S.*?)\s*", line) for line in lines]
    if lines and all(plain):  # as CamVid's own
        return [(each[4], [each[1], each[2], each[3]]) for each in plain if each]
    table = list(csv.reader(lines, skipinitialspace=True))
    head = [cell.strip().lower() for cell in table[0]] if table else []
    if len(head) != 4 or set(head[1:]) != {"r", "g", "b"} or head[0] not in ("name", "class"):
        raise ValueError(
            f"colors: {path} must begin with the line name,r,g,b; it begins with {lines[0][:60]!r}."
            if lines
            else f"colors: {path} is empty."
        )
    short = [row for row in table if len(row) != 4]
    if short:
        raise ValueError(f"colors: {path} has a line of {len(short[0])} fields: {short[0]}.")
    place = [head.index(part) for part in "rgb"]
    return [(row[0].strip(), [row[at] for at in place]) for row in table[1:]]


def _text(path: Path, argument: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{argument}: {path} cannot be read as text: {error}.") from error


def _json(path: Path, text: str, argument: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{argument}: {path} is no JSON: {error}.") from error
