"""From a name or a path to a data set that is ready to train on."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from maxsup.data._corrupt import note_on_corrupt
from maxsup.data._depth import notes_on_depth
from maxsup.data._duplicates import notes_on_duplicates
from maxsup.data._hold_out import hold_out, take_fraction
from maxsup.data._image_data import ImageData
from maxsup.data._label_noise import add_label_noise
from maxsup.data._long_tail import thin_to_long_tail
from maxsup.data._probe_labels import ProbeLabels, read_probe_labels
from maxsup.data._settings import DataSettings, short_name
from maxsup.data._splits import LabelledSplit
from maxsup.data._without_effect import (
    check_photographs,
    check_settings_of_digits,
    check_settings_of_labels,
    check_settings_of_parts,
)
from maxsup.data.photographs._files import ImageFiles
from maxsup.data.photographs._open import open_photographs
from maxsup.data.photographs._open_stream import open_stream
from maxsup.data.photographs._settings import PhotographSettings
from maxsup.data.small._read import read_small_images
from maxsup.data.sources._digits import read_digits
from maxsup.data.sources._labels import (
    check_classes,
    notes_on_classes_missing,
    notes_on_labels,
    read_classes,
)
from maxsup.data.sources._open import open_source

_DIGITS_TEST = 0.3


def load_images(
    settings: DataSettings,
    *,
    image_size: int | None = None,
    prefer_label: str | None = None,
    photographs: PhotographSettings | None = None,
    measure_only: bool = False,
    announce: Callable[[str], None] | None = None,
) -> ImageData:
    """Load a data set, divided as the settings say.

    Small images are decoded once and stay in memory as uint8. Photographs stay on disk, and are
    read as they are needed.

    Args:
        settings: What to load.
        image_size: Side in pixels that small images are resized and cropped to; by default they
            stay as they are.
        prefer_label: The column of labels to take where several could be meant.
        photographs: Given for photographs: how they are read.
        measure_only: Whether nothing is trained on it: then classes may lack training samples, and
            where there is but one split all of it is to measure on, with no training samples.
        announce: Is told what is going on, in sentences.

    Raises:
        ValueError: The data cannot be used as asked; the message says how to mend it.

    Example:
        >>> data = load_images(DataSettings("digits", label_noise=0.4))
        >>> len(data.train), len(data.test), len(data.classes)
        (1257, 540, 10)
        >>> data.train.count_noisy()
        503
    """
    announce = announce or (lambda text: None)
    check_settings_of_labels(settings)
    if image_size is not None and image_size < 1:
        raise ValueError(f"image_size must be at least 1; got {image_size}.")
    check_photographs(settings, photographs, image_size)
    train: LabelledSplit
    test: LabelledSplit | None
    validation: LabelledSplit | None = None
    test_is_drawn = False
    probe_labels: ProbeLabels | None = None
    if settings.name == "digits":
        if photographs is not None:
            raise ValueError(
                "The digits are no photographs, of which a part could be cropped and resized: take "
                "a recipe for small images."
            )
        check_settings_of_digits(settings)
        everything, classes = read_digits(image_size)
        train, test = hold_out(everything, _DIGITS_TEST, settings.data_seed, "test", classes)
        test_is_drawn = True
        notes = [
            f"Of scikit-learn's digits, {100 * _DIGITS_TEST:g} % of each class are the test set."
        ]
    elif settings.streaming:
        return open_stream(settings, prefer_label, photographs, announce)
    else:
        source = open_source(settings, prefer_label)
        check_settings_of_parts(settings, source.test_name)
        classes = read_classes(source.train, source.label_column, source.train_name)
        if settings.probe_label is not None:
            # Before images are read, which takes a while.
            probe_labels = read_probe_labels(source, settings.probe_label)
        if photographs is None:
            train, validation, test = read_small_images(
                source, classes, image_size, settings, announce
            )
        else:
            train, validation, test = open_photographs(source, classes, photographs, settings)
        own = ((source.validation_name, validation), (source.test_name, test))
        labels_of = {name: split.labels for name, split in own if name and split is not None}
        if not measure_only:
            _check_classes(train, classes, settings, labels_of)
        kind = source.train.features[source.label_column]
        notes = [*source.notes, *notes_on_labels(kind, source.label_column, classes)]
        files = ImageFiles(source.train, source.image_column, source.train_name)
        notes += notes_on_depth(files.read, len(files))
        if len(train.corrupt):
            notes.append(note_on_corrupt(train.corrupt))
        if source.train_name != "train":
            notes.append(f"The training set is the split {source.train_name}.")
        if test is None and measure_only:
            train, test = train.select(torch.zeros(0, dtype=torch.int64)), train
            notes.append(f"The data has one split, {source.train_name}: all of it is measured on.")
        elif test is None:
            test_is_drawn = True
            train, test = hold_out(
                train, settings.test_fraction, settings.data_seed, "test", classes
            )
            notes.append(
                f"The data has no test split: {100 * settings.test_fraction:g} % of each class "
                f"were held out of {source.train_name} as the test set."
            )
        else:
            notes.append(f"The test set is the split {source.test_name}.")

    if settings.fraction < 1:
        whole = len(train)
        train = take_fraction(train, settings.fraction, settings.data_seed)
        notes.append(
            f"Of each class, {100 * settings.fraction:g} % of the training images are taken: "
            f"{len(train):,} of {whole:,}."
        )
    if settings.validation:
        train, validation = hold_out(
            train, settings.validation, settings.data_seed, "validation", classes
        )
    if not measure_only:
        _check_classes(train, classes, settings)
    if settings.imbalance > 1:
        train = thin_to_long_tail(train, settings.imbalance, len(classes), settings.data_seed)
        counts = train.labels.bincount()
        notes.append(
            f"The training classes are thinned to a long tail, from {int(counts.max()):,} images "
            f"of {classes[0]} to {int(counts.min()):,} of {classes[-1]}."
        )
    if probe_labels is not None:
        probe_labels.check(train.ids, test.ids)
    measured = {"test": test} if validation is None else {"validation": validation, "test": test}
    labels = {what: split.labels for what, split in measured.items()}
    notes += notes_on_classes_missing(labels, classes)
    notes += notes_on_duplicates(train, measured)
    if settings.label_noise:
        train = add_label_noise(train, settings.label_noise, len(classes), settings.data_seed)
    return ImageData(
        short_name(settings),
        classes,
        train,
        validation,
        test,
        tuple(notes),
        test_is_drawn=test_is_drawn,
        probe_labels=probe_labels,
    )


def _check_classes(
    train: LabelledSplit,
    classes: tuple[str, ...],
    settings: DataSettings,
    others: Mapping[str, Tensor] | None = None,
) -> None:
    """See that there is something to tell apart, and something to learn it from.

    Raises:
        ValueError: There is not; the message says what to do about it.
    """
    try:
        check_classes(train.labels, classes, others)
    except ValueError as error:
        if "[" not in (settings.train_split or ""):
            raise
        raise ValueError(
            f"{error} The rows of a split are often sorted by class, so that "
            f"{settings.train_split} holds some classes alone: --fraction 0.1 takes a tenth of "
            "every class instead."
        ) from error
