"""A folder of images: which of them are of which class, in which split."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

import datasets

from maxsup.data._digest import digest_of_files
from maxsup.data._settings import DataSettings
from maxsup.data.sources._files import (
    class_name,
    counted,
    format_of,
    in_places,
    kind_of,
    listed,
    natural_order,
    shown,
)
from maxsup.data.sources._mask_words import are_images_with_masks
from maxsup.data.sources._opened import ImageRows, OpenedData, Table
from maxsup.data.sources._roles import is_filler, role_of_folder
from maxsup.data.sources._split_folders import find_split_folders
from maxsup.data.sources._walk import Folder

ONE_SPLIT = "train"
"""What the only split is called of data that names none."""
_DOCUMENTS = frozenset(
    {
        *(".cfg", ".csv", ".doc", ".docx", ".htm", ".html", ".ini", ".ipynb", ".json", ".jsonl"),
        *(".log", ".md", ".names", ".pdf", ".py", ".rst", ".sh", ".toml", ".tsv", ".txt"),
        *(".xls", ".xlsx", ".xml", ".yaml", ".yml"),
    }
)
"""Files that nobody takes for images, so that a folder of them is no class."""
_KINDS_LISTED = 5
_FEW = 0.02  # of all images


class LabelledFiles(NamedTuple):
    """The images of a split."""

    paths: list[str]
    classes: list[str]
    """The name of the class of each."""


def open_image_folder(root: Folder, settings: DataSettings, *, labelled: bool = True) -> OpenedData:
    """Decide what in a folder is a split, a class and an image.

    The class of an image is called as the outermost folder on its way that holds images directly;
    or as the one above, where all of these have one name, such as ``images``. Where no labels are
    needed, all images of a split are taken, wherever they lie.

    Raises:
        ValueError: It cannot be decided, a class folder holds no image, or there are no classes;
            the message says how to mend it.
    """
    _check_without_masks(root, settings.name)
    top, notes = _unwrapped(root)
    found = find_split_folders(top, settings, labelled=labelled)
    notes += found.notes
    splits = found.splits or {ONE_SPLIT: top}
    passed_over = list(found.unused)
    files: dict[str, LabelledFiles] = {}
    for name, folder in splits.items():
        if not labelled:
            if folder.image_count:
                files[name] = _all_files_of(folder)
            continue
        classes = _classes_below(folder)
        if classes:
            _check_siblings(folder)
            files[name] = _files_of(classes)
            notes += _notes_on_classes(classes, folder)
        else:
            passed_over.append(folder)
    if not files:
        raise ValueError(_without_classes(top, settings.name))
    notes += _notes_on_capitals(files.values())
    notes += _notes_on_kinds(files.values())
    taken = () if labelled else splits.values()
    above = [each for each in (root, top, *splits.values()) if each not in taken]
    notes += _notes_on_images(above, passed_over)
    notes += notes_on_others(root)

    def load(names: Collection[str]) -> Mapping[str, Table]:
        chosen = {name: files[name] for name in names}
        known = list({name for each in chosen.values() for name in each.classes})
        known.sort(key=natural_order)
        index = {name: number for number, name in enumerate(known)}
        label = datasets.ClassLabel(names=known)
        return {
            name: ImageRows(
                each.paths, {"label": [index[c] for c in each.classes]}, {"label": label}
            ).table(name, streaming=settings.streaming)
            for name, each in chosen.items()
        }

    aliases = {folder.name: name for name, folder in found.splits.items()}
    return OpenedData(
        tuple(files), load, aliases, tuple(notes), lambda name: digest_of_files(files[name].paths)
    )


def _check_without_masks(root: Folder, name: str) -> None:
    """See that images and their masks are not taken for two classes.

    Raises:
        ValueError: They would be.
    """
    places = [folder.place for folder in root.walk() if folder.images]
    if are_images_with_masks(places):
        raise ValueError(
            f"{name} holds images and masks of them, in {listed(places)}, and a label for each "
            "image is to be learnt. Take a recipe that learns one for each pixel, such as "
            "finetune-segmentation; or, if these are classes, give the folders other names."
        )


def _unwrapped(root: Folder) -> tuple[Folder, list[str]]:
    """The folder in which ways part: archives often hold one folder with all the others."""
    top = root
    while (
        not top.images
        and len(top.with_images) == 1
        and top.with_images[0].with_images
        and not role_of_folder(top.with_images[0].name)
        and not top.with_images[0].images
    ):
        top = top.with_images[0]
    return top, [f"All images lie in {shown(top.place)}."] if top is not root else []


class _ClassFolder(NamedTuple):
    """A folder whose images, and those below it, are of one class."""

    folder: Folder
    name: str
    """The class."""


def _classes_below(split: Folder) -> list[_ClassFolder]:
    """The folders of the classes in a split; none where nothing tells classes apart.

    Raises:
        ValueError: They are called like splits.
    """
    found = list(_outermost(split, split.name))
    names = {folder.name for folder, _ in found}
    if len(found) > 1 and all(role_of_folder(name) for name in names):
        raise ValueError(
            f"The innermost folders are called like splits, not like classes: "
            f"{listed(folder.place for folder, _ in found)}. Put the splits above the classes, as "
            f"{found[0][0].name}/{found[0][1]}/."
        )
    if len(names) == 1 and is_filler(found[0][0].name):
        # cat/images/, dog/images/; or val/images/ alone, which says nothing of classes.
        found = [(folder, above) for folder, above in found if len(found) > 1]
        return [_ClassFolder(folder, class_name(above)) for folder, above in found]
    return [_ClassFolder(folder, class_name(folder.name)) for folder, _ in found]


def _outermost(folder: Folder, name: str) -> Iterator[tuple[Folder, str]]:
    """The folders that hold images directly, and the name of the folder that each lies in."""
    for each in folder.folders:
        if each.images:
            yield each, name
        else:
            yield from _outermost(each, each.name)


def _files_of(classes: list[_ClassFolder]) -> LabelledFiles:
    files = LabelledFiles([], [])
    for folder, name in sorted(classes, key=lambda each: natural_order(each.folder.place)):
        for each in folder.walk():
            files.paths.extend(each.file(image) for image in each.images)
            files.classes.extend([name] * len(each.images))
    return files


def _all_files_of(split: Folder) -> LabelledFiles:
    """All images of a split, with the names of the folders that they lie in for classes."""
    folders = [_ClassFolder(each, each.name) for each in split.walk() if each.images]
    return LabelledFiles(
        [each.folder.file(image) for each in folders for image in each.folder.images],
        [class_name(each.name) for each in folders for _ in each.folder.images],
    )


def _check_siblings(folder: Folder) -> None:
    """See that no folder beside those of the classes is a class whose images cannot be read."""
    holds_classes = any(child.images for child in folder.folders)
    for child in folder.folders:
        if child.with_images and not child.images:
            _check_siblings(child)
        if child.image_count or child.is_empty or not holds_classes:
            continue
        kinds = _kinds(child)
        if set(kinds) <= _DOCUMENTS:
            continue
        counts = ", ".join(f"{len(places):,} {kind}" for kind, places in kinds.items())
        raise ValueError(
            f"The class folder {shown(child.place)} holds no image that can be read, but {counts}. "
            "Convert them to JPEG or PNG, with a suffix that says so, or move the folder elsewhere."
        )


def _notes_on_classes(classes: list[_ClassFolder], split: Folder) -> Iterator[str]:
    where: dict[str, list[str]] = defaultdict(list)
    for folder, name in classes:
        where[name].append(folder.place)
    several = {name: places for name, places in where.items() if len(places) > 1}
    deepest = max(classes, key=lambda each: each.folder.place.count("/"))
    if several:
        name, places = next(iter(several.items()))
        more = f", and likewise for {listed(list(several)[1:])}" if len(several) > 1 else ""
        yield (
            "Classes are called as the folders that hold the images, whatever lies above: "
            f"{listed(places)} are one class, {shown(name)}{more}."
        )
    elif deepest.folder.place.count("/") > split.place.count("/") + 1:
        yield (
            f"Classes lie below other folders: {shown(deepest.folder.place)} is the class "
            f"{shown(deepest.name)}."
        )
    below = [
        each.place
        for folder, _ in classes
        for each in folder.walk()
        if each is not folder and each.images
    ]
    if below:
        yield f"What lies below a class folder is of its class: {listed(below)}."


def _notes_on_capitals(splits: Iterable[LabelledFiles]) -> Iterator[str]:
    """Name classes that a reader would take for one."""
    alike: dict[str, list[str]] = defaultdict(list)
    for name in sorted({name for files in splits for name in files.classes}):
        alike[name.casefold().strip()].append(name)
    for names in alike.values():
        if len(names) > 1:
            yield f"{listed(names)} are different classes: they differ in capitals or spaces alone."


def _notes_on_kinds(splits: Iterable[LabelledFiles]) -> Iterator[str]:
    """Name the few images that are of another kind of file than nearly all.

    What a website sends in place of a picture that it no longer has is often one.
    """
    kinds: dict[str, list[str]] = defaultdict(list)
    for files in splits:
        for path in files.paths:
            kinds[format_of(path)].append(path)
    if not kinds:
        return
    most = max(kinds, key=lambda kind: len(kinds[kind]))
    count = sum(map(len, kinds.values()))
    others = [path for kind, paths in kinds.items() if kind != most for path in paths]
    if others and len(others) <= _FEW * count:
        # With the class folder: in several of these, files may have one name.
        names = ["/".join(path.replace("\\", "/").split("/")[-2:]) for path in others]
        yield (
            f"{counted(len(others), 'image')} of {count:,} {'is' if len(others) == 1 else 'are'} "
            f"of another kind of file than {most}, as nearly all are, and taken like them: "
            f"{listed(names)}. Websites often send such a file in place of a picture that is gone; "
            "look at it, and remove it if it is one."
        )


def _notes_on_images(above_classes: Iterable[Folder], passed_over: list[Folder]) -> Iterator[str]:
    """Name the images that are of no class."""
    for folder in passed_over:
        yield (
            f"Passed over {shown(folder.place)}: its {counted(folder.image_count, 'image')} lie in "
            "no class sub-folders."
        )
    gone = {folder.place for folder in passed_over}
    folders = {folder.place: folder for folder in above_classes if folder.place not in gone}
    outside = [f"{place}{image}" for place, each in folders.items() for image in each.images]
    if outside:
        yield (
            f"Passed over {counted(len(outside), 'image')} outside of the class folders: "
            f"{listed(outside)}."
        )


def notes_on_others(root: Folder) -> Iterator[str]:
    """Say what lies in a folder beside images: files of other kinds, dead links, nothing at all."""
    kinds = _kinds(root, links=False)
    if kinds:
        parts = [f"{len(p):,} {kind} {in_places(dict.fromkeys(p))}" for kind, p in kinds.items()]
        count = sum(len(places) for places in kinds.values())
        left = len(parts) - _KINDS_LISTED
        more = f", and {counted(left, 'other kind')}" if left > 0 else ""
        yield (
            f"Passed over {counted(count, 'file')} that cannot be read as images: "
            f"{', '.join(parts[:_KINDS_LISTED])}{more}."
        )
    dead = [f"{folder.place}{link}" for folder in root.walk() for link in folder.dead_links]
    if dead:
        yield (
            f"Passed over {counted(len(dead), 'link')} that lead nowhere, or back to where they "
            f"lie: {listed(dead)}."
        )
    empty = [
        child.place
        for folder in root.walk()
        if not folder.is_empty
        for child in folder.folders
        if child.is_empty
    ]
    if empty:
        yield f"Empty folders are no classes: {listed(empty)}."


def _kinds(root: Folder, *, links: bool = True) -> dict[str, list[str]]:
    """The folder of each file that is no image, by kind, the most frequent first."""
    found: dict[str, list[str]] = defaultdict(list)
    for folder in root.walk():
        for name in folder.others:
            found[kind_of(name)].append(folder.place)
        if links and folder.dead_links:
            found["links that lead nowhere"] += [folder.place] * len(folder.dead_links)
    return dict(sorted(found.items(), key=lambda item: -len(item[1])))


def _without_classes(top: Folder, name: str) -> str:
    if not top.image_count:
        others = _kinds(top)
        there = ", ".join(f"{len(places):,} {kind}" for kind, places in others.items())
        return (
            f"{name} cannot be loaded as a data set: no image that can be read lies in it, nor "
            f"Parquet files or WebDataset tars, but {there or 'nothing at all'}."
        )
    return (
        f"{name} has images and no class sub-folders, so nothing says which classes they are of. "
        "Sort them into CLASS/ sub-folders, of which it needs at least two, or list them in a "
        "metadata.csv in that folder with the columns file_name and label."
    )
