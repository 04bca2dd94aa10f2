"""The small images of an opened source, read into memory."""

from collections.abc import Callable
from typing import Any

from maxsup.data._corrupt import CorruptImages
from maxsup.data._settings import DataSettings
from maxsup.data.small._decode import decode_images
from maxsup.data.small._split import ResidentSplit
from maxsup.data.sources._labels import read_labels
from maxsup.data.sources._open import Source


def read_small_images(
    source: Source,
    classes: tuple[str, ...],
    size: int | None,
    settings: DataSettings,
    announce: Callable[[str], None],
) -> tuple[ResidentSplit, ResidentSplit | None]:
    """Decode the images to train and, where the source has them, to measure on.

    Raises:
        ValueError: More images cannot be read than may be left out, or they differ in size; the
            message says how to mend it.
    """
    corrupt = CorruptImages(settings.max_corrupt)

    def read(dataset: Any, split: str) -> ResidentSplit:
        labels = read_labels(dataset, source.label_column, classes, split)
        announce(f"Reading the {len(labels):,} images of split {split} …")
        images, rows = decode_images(
            dataset, source.image_column, split, size, corrupt, settings.max_megapixels
        )
        labels = labels[rows]
        return ResidentSplit(images, labels, labels, ids=rows, name=split, corrupt=corrupt)

    train = read(source.train, source.train_name)
    if source.test is None or source.test_name is None:
        return train, None
    return _with_same_channels(train, read(source.test, source.test_name))


def _with_same_channels(
    train: ResidentSplit, test: ResidentSplit
) -> tuple[ResidentSplit, ResidentSplit]:
    (train_channels, *train_sides), (test_channels, *test_sides) = (
        split.image_shape for split in (train, test)
    )
    if train_sides != test_sides:
        raise ValueError(
            f"Training images have {train_sides[1]}×{train_sides[0]} pixels, test images "
            f"{test_sides[1]}×{test_sides[0]}. Name the side to bring them all to with "
            "--image-size."
        )
    if train_channels == test_channels:
        return train, test
    return train.with_colours(), test.with_colours()
