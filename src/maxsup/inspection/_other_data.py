"""Another data set, read as a model's own was."""

import re
from collections.abc import Sequence
from dataclasses import replace

import torch

from maxsup.data import (
    DataSettings,
    ImageData,
    LabelledSplit,
    PhotographSettings,
    ResidentSplit,
    load_images,
    load_unlabelled,
    short_name,
)
from maxsup.inspection._subject import Subject, sample

_GREY = (0.299, 0.587, 0.114)


def settings_of(word: str) -> DataSettings:
    """The data that a user names, with its column of labels behind an @.

    >>> settings_of("my/birds@species").label_column, settings_of("digits").label_column
    ('species', None)
    """
    name, _, column = word.rpartition("@")
    if not name or not column or "/" in column:
        return DataSettings(word)
    return DataSettings(name, label_column=column)


def label_of(word: str) -> str:
    """What the data is called in a table.

    >>> label_of("my/birds@species"), label_of("digits")
    ('birds, species', 'digits')
    """
    settings = settings_of(word)
    name = short_name(settings)
    return name if settings.label_column is None else f"{name}, {settings.label_column}"


def keyed(words: Sequence[str], option: str) -> list[tuple[str, str]]:
    """Each of the data sets with a name for it, as measures have it.

    Raises:
        ValueError: Two of them would have the same.

    >>> keyed(["my/birds@species", "digits"], "transfer_data")
    [('my/birds@species', 'birds_species'), ('digits', 'digits')]
    """
    keys = [re.sub(r"\W+", "_", label_of(word).lower()).strip("_") or "data" for word in words]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        raise ValueError(f"{option} names two data sets that are both called {twice}.")
    return list(zip(words, keys, strict=True))


def transfer_parts(subject: Subject, word: str) -> tuple[LabelledSplit, LabelledSplit]:
    """Training and test images of other data, as a model takes them.

    Raises:
        ValueError: The data cannot be read, or not be given to the model.
    """
    assert subject.trained is not None
    data = load_other_data(subject, word, "transfer_data")
    parts = []
    for split in (data.train, data.test):
        if split.labelled is None:
            raise ValueError(f"transfer_data: {word} cannot be looked at as a stream.")
        channels = subject.trained.description.input_size[0]
        parts.append(with_channels(split.labelled, channels, f"transfer_data: {word}"))
    return sample(parts[0], subject.train_samples), parts[1]


def load_other_data(
    subject: Subject, word: str, option: str, *, labelled: bool = True
) -> ImageData:
    """Data at the size, and by the preprocessing, of a model's own; loaded once for all models.

    Args:
        subject: With a model.
        word: The data, as a user names it, DATA or DATA@COLUMN.
        option: What names it, for messages.
        labelled: Whether its labels are needed; else it has images to measure on alone.

    Raises:
        ValueError: It cannot be read, or not be given to the model.
    """
    assert subject.trained is not None
    of = subject.trained.description
    _, height, width = of.input_size
    settings = settings_of(word)
    load = load_images if labelled else load_unlabelled
    try:
        if of.reading == "photographs":
            photographs = PhotographSettings(height, of.crop, of.interpolation)
            return subject.share(
                ("other", word, photographs, labelled),
                lambda: load(settings, photographs=photographs),
            )
        if height != width:
            raise ValueError(
                f"{subject.place} takes images of {width}×{height} pixels, and other data is "
                "brought to squares alone."
            )
        return subject.share(
            ("other", word, height, labelled),
            lambda: load(settings, image_size=height),
        )
    except ValueError as error:
        raise ValueError(f"{option}: {word} cannot be given to {subject.place}: {error}") from error


def notes_on(word: str, data: ImageData) -> list[str]:
    """What was chosen of other data and what was passed over, in sentences that name it."""
    return [f"{label_of(word)}: {note}" for note in data.notes]


def fingerprints(
    subject: Subject, words: Sequence[str], option: str, *, labelled: bool = True
) -> list[str]:
    """What tells the content of other data from what it was when something was found of it."""
    if subject.trained is None:
        return []
    return [load_other_data(subject, word, option, labelled=labelled).fingerprint for word in words]


def with_channels(split: LabelledSplit, channels: int, what: str) -> LabelledSplit:
    """The images in grey or in colours, as a model takes them.

    Raises:
        ValueError: They cannot be brought to that.
    """
    own = split.image_shape[0]
    if own == channels:
        return split
    if isinstance(split, ResidentSplit) and (own, channels) == (1, 3):
        return split.with_colours()
    if isinstance(split, ResidentSplit) and (own, channels) == (3, 1):
        weights = split.images.new_tensor(_GREY, dtype=torch.float32).view(3, 1, 1)
        grey = (split.images * weights).sum(dim=1, keepdim=True).round()
        return replace(split, images=grey.to(split.images.dtype))
    raise ValueError(f"{what} has images of {own} channels, and the model takes {channels}.")
