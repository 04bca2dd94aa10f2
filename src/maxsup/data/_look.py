"""A first look at a data set: how many images it has, and of which kind."""

import math
import statistics
from dataclasses import dataclass

from maxsup.data._entry import UnreadableImageError
from maxsup.data._image_file import ImageFile
from maxsup.data._settings import DataSettings
from maxsup.data.photographs._files import ImageFiles
from maxsup.data.sources._digits import read_digits
from maxsup.data.sources._labels import read_classes
from maxsup.data.sources._open import Source, open_source

SMALL = 96
"""Pixels of the longer side up to which images are small, and read into memory."""

_SAMPLED = 64


@dataclass(frozen=True)
class Look:
    """What some of a data set's images show of all."""

    images: int
    """About how many there will be to train on, once parts are held out or thinned."""
    classes: int
    """K."""
    sampled: int
    """How many were looked at."""
    width: int
    """Median width of these, upright."""
    height: int
    """Median height."""
    is_grey: bool
    """Whether all of these are grey."""
    is_one_size: bool
    """Whether all of these have the same width and height."""

    @property
    def is_small(self) -> bool:
        """Whether the images are small ones, which are read into memory, or photographs."""
        return max(self.width, self.height) <= SMALL

    @property
    def shown_size(self) -> str:
        """Width and height, as they stand in a sentence."""
        return f"{self.width}×{self.height} pixels"


def look_at(settings: DataSettings, *, prefer_label: str | None = None) -> Look:
    """Look at the headers of up to 64 training images, evenly spaced, and count them all.

    Args:
        settings: Which data; it is opened as for a training, and not decoded.
        prefer_label: The column of labels to take where several could be meant.

    Raises:
        ValueError: The data cannot be opened, is streamed, or none of the images can be read.

    Example:
        >>> look = look_at(DataSettings("digits"))
        >>> look.images, look.classes, look.is_small, look.is_grey, look.shown_size
        (1257, 10, True, True, '8×8 pixels')
    """
    if settings.streaming:
        raise ValueError(
            "Of data that is streamed, no recipe can be chosen, nor fitted to its size: there is "
            "nothing to look at before. Name a recipe with --recipe, such as imagenet-resnet50."
        )
    if settings.name == "digits":
        everything, classes = read_digits(None)
        _, height, width = everything.image_shape
        images = int(len(everything) * 0.7)  # as scikit-learn divides them
        return Look(_to_train(images, settings), len(classes), _SAMPLED, width, height, True, True)
    source = open_source(settings, prefer_label)
    classes = read_classes(source.train, source.label_column, source.train_name)
    files = ImageFiles(source.train, source.image_column, source.train_name)
    sizes, all_grey = _sizes(files)
    if not sizes:
        raise ValueError(
            f"None of the images of {settings.name} that were looked at can be read. Look at the "
            f"first of them: {files.describe(0, '').path or 'row 0'}."
        )
    return Look(
        images=_to_train(_without_test(len(files), settings, source), settings),
        classes=len(classes),
        sampled=len(sizes),
        width=int(statistics.median(width for width, _ in sizes)),
        height=int(statistics.median(height for _, height in sizes)),
        is_grey=all_grey,
        is_one_size=len(set(sizes)) == 1,
    )


def _sizes(files: ImageFiles) -> tuple[list[tuple[int, int]], bool]:
    """Width and height of some images, as far as they can be read, and whether all are grey."""
    found, all_grey = [], True
    count = len(files)
    for row in sorted({number * count // _SAMPLED for number in range(_SAMPLED)} if count else ()):
        try:
            file = ImageFile(files.read(row))
        except UnreadableImageError:  # said when it is read to train on
            continue
        found.append(file.size)
        all_grey = all_grey and file.is_grey
    return found, all_grey


def _without_test(count: int, settings: DataSettings, source: Source) -> int:
    return count if source.test_name is not None else int(count * (1 - settings.test_fraction))


def _to_train(count: int, settings: DataSettings) -> int:
    """About how many of the training split are left to train on."""
    left = count * settings.fraction * (1 - settings.validation)
    if settings.imbalance > 1:
        # The classes' sizes fall geometrically from 1 to 1 / imbalance.
        left *= (1 - 1 / settings.imbalance) / math.log(settings.imbalance)
    return max(1, round(left))
