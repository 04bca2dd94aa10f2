"""Photographs of the Hub, or of files, that are read without being downloaded first."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import datasets

from maxsup.data._corrupt import CorruptImages
from maxsup.data._image_data import ImageData
from maxsup.data._settings import DataSettings, short_name
from maxsup.data._without_effect import check_settings_of_stream
from maxsup.data.photographs._settings import PhotographSettings
from maxsup.data.photographs._streamed import StreamedSplit
from maxsup.data.sources._labels import LabelReader, check_enough_classes, in_order
from maxsup.data.sources._open import Source, open_source


def open_stream(
    settings: DataSettings,
    prefer_label: str | None,
    photographs: PhotographSettings | None,
    announce: Callable[[str], None],
) -> ImageData:
    """Open a data set as streams of photographs.

    The names of the classes and the numbers of images are taken from the data's description where
    it has them, and else found by reading all labels once.

    Raises:
        ValueError: The data cannot be streamed as asked; the message says how to mend it.
    """
    if photographs is None:
        raise ValueError(
            "--streaming is for photographs: take a recipe with random_resized_crop. Small images "
            "are kept in memory."
        )
    _check(settings)
    photographs = replace(photographs, max_megapixels=settings.max_megapixels)
    source = open_source(settings, prefer_label)
    if source.test is None or source.test_name is None:
        raise ValueError(
            f"{settings.name} has no split to measure on, and none can be held out of a stream. "
            "Name one with --test-split, or leave --streaming away."
        )
    kind = source.train.features[source.label_column]
    classes = tuple(kind.names) if isinstance(kind, datasets.ClassLabel) else None
    train_count = _known_count(source.train)
    if classes is None or train_count is None:
        announce(f"Reading the labels of split {source.train_name} …")
        found, train_count = _read_labels(source.train, source.label_column, source.train_name)
        classes = classes or in_order(found)
    check_enough_classes(classes)
    corrupt = CorruptImages(settings.max_corrupt)
    name = short_name(settings)

    def split(stream: Any, which: str, count: int | None = None) -> StreamedSplit:
        if count is None and (count := _known_count(stream)) is None:
            announce(f"Counting the images of split {which} …")
            _, count = _read_labels(stream, source.label_column, which)
        # A description of a folder has no version that says anything.
        version = stream.info.version if source.identity is None else source.identity(which)
        return StreamedSplit(
            _undecoded(stream, source),
            source.image_column,
            source.label_column,
            which,
            count,
            LabelReader(stream.features[source.label_column], source.label_column, classes),
            photographs,
            f"{name} {version}",
            corrupt,
        )

    return ImageData(
        name,
        classes,
        split(source.train, source.train_name, train_count),
        None
        if source.validation is None or source.validation_name is None
        else split(source.validation, source.validation_name),
        split(source.test, source.test_name),
        (
            *source.notes,
            f"Labels are those of the column {source.label_column}.",
            f"The test set is the split {source.test_name}.",
            "Photographs are streamed: shuffled by file, and by some thousands within.",
            "Whether images stand in both the training and the test set was not looked at, nor "
            "whether classes have none: a stream is not read beforehand.",
        ),
    )


def _check(settings: DataSettings) -> None:
    asked = {
        "--validation": settings.validation > 0,
        "--label-noise": settings.label_noise > 0,
        "--imbalance": settings.imbalance > 1,
        "--fraction": settings.fraction < 1,
    }
    for option, is_asked in asked.items():
        if is_asked:
            raise ValueError(
                f"{option} needs all labels before training, which a stream does not have. Leave "
                "--streaming away."
            )
    check_settings_of_stream(settings)


def _undecoded(stream: Any, source: Source) -> Any:
    kept = stream.select_columns([source.image_column, source.label_column])
    return kept.cast_column(source.image_column, datasets.Image(decode=False))


def _known_count(stream: Any) -> int | None:
    described = (stream.info.splits or {}).get(str(stream.split))
    return described.num_examples or None if described is not None else None


def _read_labels(stream: Any, column: str, split: str) -> tuple[set[str], int]:
    """The classes there are, and the number of rows."""
    reader = LabelReader(stream.features[column], column)
    found, count = set(), 0
    for row in stream.select_columns([column]):
        try:
            found.add(reader.name(row[column]))
        except ValueError as error:
            raise ValueError(f"Row {count} of split {split} {error}.") from error
        count += 1
    return found, count
