"""Images that nothing is learnt of and whose labels nobody asks for, to run a model over."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from maxsup.data._corrupt import CorruptImages, note_on_corrupt
from maxsup.data._depth import notes_on_depth
from maxsup.data._image_data import ImageData
from maxsup.data._load import load_images
from maxsup.data._settings import DataSettings, short_name
from maxsup.data._splits import LabelledSplit
from maxsup.data.photographs._files import ImageFiles
from maxsup.data.photographs._settings import PhotographSettings
from maxsup.data.photographs._stored import StoredSplit
from maxsup.data.small._decode import decode_images
from maxsup.data.small._split import ResidentSplit
from maxsup.data.sources._columns import find_image_column, find_label_column
from maxsup.data.sources._files import counted
from maxsup.data.sources._labels import read_classes
from maxsup.data.sources._open import load_parts, open_data
from maxsup.data.sources._opened import OpenedData
from maxsup.data.sources._parts import canonical
from maxsup.data.sources._roles import role_of_folder


def load_unlabelled(
    settings: DataSettings,
    *,
    image_size: int | None = None,
    photographs: PhotographSettings | None = None,
    announce: Callable[[str], None] | None = None,
) -> ImageData:
    """Load the images to measure on of a data set, whether they have labels or not.

    They may lie in one folder, all together; of a data set with splits, they are those of the test
    split, else of the validation split, else of the only one. Labels that are there are not read.

    Args:
        settings: What to load.
        image_size: Side in pixels that small images are resized and cropped to; by default they
            stay as they are.
        photographs: Given for photographs: how they are read.
        announce: Is told what is going on, in sentences.

    Returns:
        The images as the test split, each with the label 0; no training images. ``classes`` are
        those that the labels would be of, where these are there.

    Raises:
        ValueError: The data cannot be used as asked; the message says how to mend it.

    Example:
        >>> data = load_unlabelled(DataSettings("digits"))
        >>> len(data.train), len(data.test), len(data.classes)
        (0, 540, 10)
    """
    announce = announce or (lambda text: None)
    if settings.name == "digits":
        data = load_images(settings, image_size=image_size, photographs=photographs)
        assert data.test.labelled is not None
        return replace(data, train=_nothing_of(data.test.labelled), validation=None)
    opened = open_data(settings, labelled=False)
    name = _split_to_measure(settings, opened)
    table = load_parts(settings, opened, {"test_split": name})["test_split"]
    column = find_image_column(settings, table.features)
    split: LabelledSplit
    corrupt = CorruptImages(settings.max_corrupt)
    if photographs is None:
        announce(f"Reading the {len(table):,} images of split {name} …")
        images, rows = decode_images(
            table, column, name, image_size, corrupt, settings.max_megapixels
        )
        none = _no_labels(len(rows))
        split = ResidentSplit(images, none, none, ids=rows, name=name, corrupt=corrupt)
    else:
        files = ImageFiles(table, column, name)
        none = _no_labels(len(files))
        reading = replace(photographs, max_megapixels=settings.max_megapixels)
        split = StoredSplit(files, torch.arange(len(files)), none, none, reading, corrupt)
    files = ImageFiles(table, column, name)
    notes = [*opened.notes, *notes_on_depth(files.read, len(files))]
    if len(corrupt):
        notes.append(note_on_corrupt(corrupt))
    notes.append(
        f"The images are those of the split {name}."
        if len(opened.splits) > 1
        else f"All {counted(len(split), 'image')} are measured on."
    )
    classes = _classes(settings, table, name)
    return ImageData(short_name(settings), classes, _nothing_of(split), None, split, tuple(notes))


def _split_to_measure(settings: DataSettings, opened: OpenedData) -> str:
    if settings.test_split is not None:
        return canonical("test_split", settings.test_split, opened)
    if len(opened.splits) == 1:
        return opened.splits[0]
    for role in ("test", "validation", "train"):
        named = [name for name in opened.splits if name == role]
        alike = named or [name for name in opened.splits if role_of_folder(name) == role]
        if len(alike) == 1:
            return alike[0]
    raise ValueError(
        f"{settings.name} has the splits {', '.join(opened.splits)}, and it cannot be told which "
        "is the one to measure on. Name the folder or file of one of them."
    )


def _no_labels(images: int) -> Tensor:
    return torch.zeros(images, dtype=torch.int64)


def _nothing_of(split: LabelledSplit) -> LabelledSplit:
    return split.select(_no_labels(0))


def _classes(settings: DataSettings, table: Any, split: str) -> tuple[str, ...]:
    """The names of the classes that the images may be of; none where nothing says it."""
    try:
        return read_classes(table, find_label_column(settings, table.features, None), split)
    except ValueError:
        if settings.label_column is not None:
            raise
        return ()
