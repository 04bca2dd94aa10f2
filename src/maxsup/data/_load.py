from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from maxsup.data._corrupt import CorruptImages
from maxsup.data._decode import decode_images
from maxsup.data._digits import load_embedded_digits
from maxsup.data._images import ImageData, LabelledSplit, Split
from maxsup.data._labels import check_classes, read_classes, read_labels
from maxsup.data._load_stream import load_stream
from maxsup.data._long_tail import thin_to_long_tail
from maxsup.data._parts import add_label_noise, hold_out
from maxsup.data._settings import DataSettings
from maxsup.data._source import open_source
from maxsup.data._stored import ImageFiles, Photographs, StoredSplit

_DIGITS_TEST = 0.3


def load_images(
    settings: DataSettings,
    *,
    prefer_label: str | None = None,
    photographs: Photographs | None = None,
    announce: Callable[[str], None] | None = None,
) -> ImageData:
    """Load a data set, divided as the settings say.

    Small images are decoded once and stay in memory as uint8. Photographs stay on disk, and are
    read as they are needed.

    Args:
        settings: What to load.
        prefer_label: The column of labels to take where several could be meant.
        photographs: Given for photographs: how they are read.
        announce: Is told what is going on, in sentences.

    Raises:
        ValueError: The data cannot be used as asked; the message says how to mend it.

    Example:
        >>> data = load_images(DataSettings("digits", label_noise=0.4))
        >>> len(data.train), len(data.test), len(data.classes)
        (1257, 540, 10)
        >>> int((data.train.labels != data.train.true_labels).sum())
        503
    """
    announce = announce or (lambda text: None)
    if settings.streaming and settings.name != "digits":
        return load_stream(settings, short_name(settings), prefer_label, photographs, announce)
    train: LabelledSplit
    test: LabelledSplit
    if settings.name == "digits":
        if photographs is not None:
            raise ValueError(
                "The digits are no photographs, of which a part could be cropped and resized: take "
                "a recipe for small images, or --no-random-resized-crop."
            )
        everything, classes = load_embedded_digits()
        train, test = hold_out(everything, _DIGITS_TEST, settings.data_seed, "test")
        notes = [
            f"Of scikit-learn's digits, {100 * _DIGITS_TEST:g} % of each class are the test set."
        ]
        name = "digits"
    else:
        train, test, classes, notes = _load_source(settings, prefer_label, photographs, announce)
        name = short_name(settings)

    validation = None
    if settings.validation:
        train, validation = hold_out(train, settings.validation, settings.data_seed, "validation")
    check_classes(train.labels, classes)
    if settings.imbalance > 1:
        train = thin_to_long_tail(train, settings.imbalance, len(classes), settings.data_seed)
        largest, smallest = (int(f(train.labels.bincount())) for f in (torch.max, torch.min))
        notes.append(
            f"The training classes are thinned to a long tail, from {largest:,} images of "
            f"{classes[0]} to {smallest:,} of {classes[-1]}."
        )
    if settings.label_noise:
        train = add_label_noise(train, settings.label_noise, len(classes), settings.data_seed)
    return ImageData(name, classes, train, validation, test, tuple(notes))


def short_name(settings: DataSettings) -> str:
    """What to call a data set: without ``hf:``, or the last part of its path.

    >>> short_name(DataSettings("hf:owner/birds")), short_name(DataSettings("my/birds/"))
    ('owner/birds', 'birds')
    """
    if settings.name.startswith("hf:"):
        return settings.name.removeprefix("hf:")
    return Path(settings.name).expanduser().resolve().name


def _load_source(
    settings: DataSettings,
    prefer_label: str | None,
    photographs: Photographs | None,
    announce: Callable[[str], None],
) -> tuple[LabelledSplit, LabelledSplit, tuple[str, ...], list[str]]:
    source = open_source(settings, prefer_label)
    classes = read_classes(source.train, source.label_column)
    corrupt = CorruptImages(settings.max_corrupt)

    def read(dataset: Any, split: str) -> LabelledSplit:
        labels = read_labels(dataset, source.label_column, classes, split)
        if photographs is not None:
            files = ImageFiles(dataset, source.image_column, split)
            rows = torch.arange(len(files))
            return StoredSplit(files, rows, labels, labels, photographs, corrupt)
        announce(f"Reading the {len(labels):,} images of split {split} …")
        images = decode_images(dataset, source.image_column, split, settings.image_size)
        return Split(images, labels, labels)

    train = read(source.train, source.train_name)
    check_classes(train.labels, classes)
    notes = [f"Labels are those of the column {source.label_column}."]
    if source.train_name != "train":
        notes.append(f"The training set is the split {source.train_name}.")
    if source.test is None or source.test_name is None:
        train, test = hold_out(train, settings.test_fraction, settings.data_seed, "test")
        notes.append(
            f"The data has one split, {source.train_name}: {100 * settings.test_fraction:g} % of "
            "each class were held out of it as the test set."
        )
        return train, test, classes, notes

    test = read(source.test, source.test_name)
    notes.append(f"The test set is the split {source.test_name}.")
    if isinstance(train, Split) and isinstance(test, Split):
        train, test = _same_channels(train, test)
    return train, test, classes, notes


def _same_channels(train: Split, test: Split) -> tuple[Split, Split]:
    shapes = [part.image_shape for part in (train, test)]
    if shapes[0] == shapes[1]:
        return train, test
    if shapes[0][1:] != shapes[1][1:]:
        raise ValueError(
            f"Training images have {shapes[0][2]}×{shapes[0][1]} pixels, test images "
            f"{shapes[1][2]}×{shapes[1][1]}. Name the side to bring them all to with --image-size."
        )

    def coloured(split: Split) -> Split:
        images = split.images.expand(-1, 3, -1, -1).contiguous()
        return Split(images, split.labels, split.true_labels)

    return coloured(train), coloured(test)
