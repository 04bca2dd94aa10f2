"""The small images of an opened source, read into memory."""

from collections.abc import Callable, Mapping
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
) -> tuple[ResidentSplit, ResidentSplit | None, ResidentSplit | None]:
    """Decode the images to train and, where the source has them, to validate and to measure on.

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
    others = {
        "validation": (source.validation, source.validation_name),
        "test": (source.test, source.test_name),
    }
    found = {
        what: read(dataset, name)
        for what, (dataset, name) in others.items()
        if dataset is not None and name is not None
    }
    _check_same_sides(train, found)
    if len({split.image_shape[0] for split in (train, *found.values())}) > 1:
        train = train.with_colours()
        found = {what: split.with_colours() for what, split in found.items()}
    return train, found.get("validation"), found.get("test")


def _check_same_sides(train: ResidentSplit, others: Mapping[str, ResidentSplit]) -> None:
    _, *sides = train.image_shape
    for what, split in others.items():
        _, *its_sides = split.image_shape
        if its_sides != sides:
            raise ValueError(
                f"Training images have {sides[1]}×{sides[0]} pixels, {what} images "
                f"{its_sides[1]}×{its_sides[0]}. Name the side to bring them all to with "
                "--image-size."
            )
