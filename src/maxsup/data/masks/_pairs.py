"""Folders of images and folders of masks: which mask is of which image."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

import datasets

from maxsup.data._corrupt import Corrupt
from maxsup.data._settings import DataSettings
from maxsup.data.masks._class_names import NAMES_FILES, TABLE_FILES
from maxsup.data.masks._lists import read_lists
from maxsup.data.sources._files import counted, listed
from maxsup.data.sources._image_folder import ONE_SPLIT, notes_on_others
from maxsup.data.sources._mask_words import IMAGE_WORDS, MASK_WORDS, words_of
from maxsup.data.sources._opened import ImageRows, OpenedData, Table
from maxsup.data.sources._roles import Role, role_in_name, role_of_folder
from maxsup.data.sources._walk import Folder

MASK_COLUMN = "mask"

_OBJECT_WORDS = frozenset({"instance", "instances", "object", "objects"})
_OF_MASK = re.compile(r"(?i)[-_ .](masks?|labels?|l|gt|seg|segmentation|annotations?|annot)$")
"""What names of masks end with beside those of their images."""


_OF_IMAGE = re.compile(r"(?i)[-_ .](sat|images?|img|photo|rgb)$")
"""What names of images end with then."""


class _File(NamedTuple):
    path: str
    place: str
    """Within the folder of the data."""
    stem: str
    below: str
    """The folders that say neither what lies in them nor of which split it is."""


class _Split(NamedTuple):
    images: list[_File]
    masks: list[_File]


class Pairs(NamedTuple):
    """Images with their masks, by split."""

    opened: OpenedData
    alone: Mapping[str, list[Corrupt]]
    """Images without a mask and masks without an image, by split."""
    layout: str | None
    """ade20k, where the folders are called as there."""


def open_pairs(root: Folder, settings: DataSettings) -> Pairs:
    """Pair images with masks by the names of their files.

    The names of folders say which files are masks and of which split they are, in any order and
    also in one word: ``images/train`` and ``masks/train``, ``train/images`` and ``train/masks``,
    ``train`` and ``trainannot``.

    Raises:
        ValueError: There are no folders of masks, or no mask fits an image.
    """
    splits = _divide(root)
    if not any(split.masks for split in splits.values()):
        splits = {name: _by_endings(split) for name, split in splits.items()}
    if not any(split.masks for split in splits.values()):
        raise ValueError(_without_masks(root, settings.name))
    if not any(split.images for split in splits.values()):
        raise ValueError(f"{settings.name} holds folders of masks alone, and no images.")
    notes = list(notes_on_others(root.without({*NAMES_FILES, *TABLE_FILES})))
    notes += _notes_on_objects(root)
    if lists := read_lists(root):
        splits, unlisted = _by_lists(splits, lists)
        notes.append("Splits are those that the files in ImageSets/Segmentation list.")
        if unlisted:
            notes.append(
                f"Passed over {counted(len(unlisted), 'image')} that none of them lists: "
                f"{listed(unlisted)}."
            )
    rows: dict[str, ImageRows] = {}
    alone: dict[str, list[Corrupt]] = {}
    for name, split in splits.items():
        if not split.masks and split.images:
            notes.append(
                f"Passed over {counted(len(split.images), 'image')} of the split {name}, for which "
                f"there are no masks: {listed(f.place for f in split.images)}."
            )
            continue
        if not split.images:
            notes.append(
                f"Passed over {counted(len(split.masks), 'mask')} of the split {name}, for which "
                f"there are no images: {listed(f.place for f in split.masks)}."
            )
            continue
        pairs, alone[name] = _pair(name, split)
        if not pairs:
            raise ValueError(
                f"No mask is called like an image in the split {name} of {settings.name}: there "
                f"are {listed(f.place for f in split.images)}, and the masks "
                f"{listed(f.place for f in split.masks)}. Give masks the names of their images."
            )
        rows[name] = ImageRows(
            [image.path for image, _ in pairs],
            {MASK_COLUMN: [{"bytes": None, "path": mask.path} for _, mask in pairs]},
            {MASK_COLUMN: datasets.Image(decode=False)},
        )

    def load(names: Collection[str]) -> Mapping[str, Table]:
        return {name: rows[name].table(name, streaming=False) for name in names}

    return Pairs(OpenedData(tuple(rows), load, notes=tuple(notes)), alone, _layout(root))


def _without_masks(root: Folder, name: str) -> str:
    """What to say where no images lie in a folder that is called like one of masks."""
    others = [
        f"{folder.place}{each}"
        for folder in root.walk()
        if _is_of_masks(folder)
        for each in folder.others
    ]
    if others:
        return (
            f"{name} has folders of masks that hold no images, but {listed(others)}. Masks are "
            "images of labels, as large as what they are of: write them as PNG."
        )
    return (
        f"{name} holds {counted(root.image_count, 'image')} and no folder that is called masks, "
        "annotations, labels, annot, gt or segmentation, nor files that end so. Put images into "
        "images/ and their masks, with the same names, into masks/. Where folders are classes, "
        "take a recipe that learns a label for each image, such as finetune: this one learns one "
        "for each pixel."
    )


def _is_of_masks(folder: Folder) -> bool:
    return any(words_of(name) & MASK_WORDS for name in folder.place.split("/"))


def _of_objects(folder: Folder) -> bool:
    """Whether masks number single objects, and not classes, as in VOC's SegmentationObject."""
    words = frozenset().union(*map(words_of, folder.place.split("/")))
    return bool(words & MASK_WORDS and words & _OBJECT_WORDS)


def _notes_on_objects(root: Folder) -> Iterator[str]:
    folders = [folder for folder in root.walk() if folder.images and _of_objects(folder)]
    if folders:
        count = sum(len(folder.images) for folder in folders)
        yield (
            f"Passed over {counted(count, 'mask')} of single objects in "
            f"{listed(folder.place for folder in folders)}."
        )


def _by_lists(
    splits: Mapping[str, _Split], lists: Mapping[str, list[str]]
) -> tuple[dict[str, _Split], list[str]]:
    """The files of each split by lists of their names, and the images that are in none."""
    images = [file for split in splits.values() for file in split.images]
    masks = [file for split in splits.values() for file in split.masks]
    found = {}
    for name, stems in lists.items():
        wanted = set(stems)
        found[name] = _Split(
            [file for file in images if file.stem in wanted],
            [file for file in masks if file.stem in wanted],
        )
        there = {file.stem for files in found[name] for file in files}
        if missing := [stem for stem in stems if stem not in there]:
            raise ValueError(
                f"The list of {name} names {counted(len(missing), 'image')} of which nothing is "
                f"there: {listed(missing)}."
            )
    every = {stem for stems in lists.values() for stem in stems}
    return found, [file.place for file in images if file.stem not in every]


def _divide(root: Folder) -> dict[str, _Split]:
    """The files of each split, by what the folders on their way are called."""
    splits: dict[str, _Split] = defaultdict(lambda: _Split([], []))
    for folder in root.walk():
        if _of_objects(folder):
            continue
        is_mask, role, below = False, None, []
        for name in folder.place.split("/")[:-1]:
            words = words_of(name)
            said = bool(words & MASK_WORDS)
            is_mask = is_mask or said
            here: Role | None = role_of_folder(name) or (
                _role_of(words) if said or words & IMAGE_WORDS else None
            )
            role = role or here
            if not (said or here or (words and words <= IMAGE_WORDS)):
                below.append(name)
        files = [
            _File(folder.file(name), f"{folder.place}{name}", _stem(name), "/".join(below))
            for name in folder.images
        ]
        if files:
            split = splits[role or ONE_SPLIT]
            (split.masks if is_mask else split.images).extend(files)
    order = {"train": 0, "validation": 1, "test": 2}
    return dict(sorted(splits.items(), key=lambda each: order.get(each[0], 3)))


def _by_endings(split: _Split) -> _Split:
    """Files that lie together, as images and masks where names end with what they are."""
    found = _Split([], [])
    for file in split.images:
        (found.masks if _OF_MASK.search(file.stem) else found.images).append(file)
    return found


def _role_of(words: frozenset[str]) -> Role | None:
    return role_in_name(" ".join(sorted(words)))


def _stem(name: str) -> str:
    return name.rpartition(".")[0]


def _pair(split: str, files: _Split) -> tuple[list[tuple[_File, _File]], list[Corrupt]]:
    """Each image with its mask, and those that are alone."""
    images, masks = _keys(files.images, files.masks)
    if images.keys().isdisjoint(masks):
        images, masks = _keys(_bare(files.images, _OF_IMAGE), _bare(files.masks, _OF_MASK))
    pairs = [(images[key], masks[key]) for key in images if key in masks]
    alone = [
        Corrupt(split, None, image.place, "there is no mask of this name")
        for key, image in images.items()
        if key not in masks
    ]
    alone += [
        Corrupt(split, None, mask.place, "there is no image of this name for the mask")
        for key, mask in masks.items()
        if key not in images
    ]
    return pairs, alone


def _bare(files: list[_File], ending: re.Pattern[str]) -> list[_File]:
    return [file._replace(stem=ending.sub("", file.stem)) for file in files]


def _keys(*kinds: list[_File]) -> list[dict[tuple[str, str], _File]]:
    """Files by their stems, and by the folders below where stems are not unique.

    Raises:
        ValueError: Two files would be the same.
    """
    unique = all(len({file.stem for file in files}) == len(files) for files in kinds)
    found: list[dict[tuple[str, str], _File]] = []
    for files in kinds:
        by_key: dict[tuple[str, str], _File] = {}
        for file in files:
            key = ("" if unique else file.below, file.stem)
            if key in by_key:
                raise ValueError(
                    f"{by_key[key].place} and {file.place} have the same name, so that it cannot "
                    "be told which image and which mask belong together. Rename or remove one of "
                    "them."
                )
            by_key[key] = file
        found.append(by_key)
    return found


def _layout(root: Folder) -> str | None:
    for folder in root.walk():
        names = {each.name.lower() for each in folder.folders}
        inside = {
            each.name.lower(): {below.name.lower() for below in each.folders}
            for each in folder.folders
        }
        if {"images", "annotations"} <= names and all(
            "training" in inside[name] for name in ("images", "annotations")
        ):
            return "ade20k"
    return None
