"""Settings of the data that change nothing for the kind of data that it is."""

from collections.abc import Sequence
from dataclasses import fields

from maxsup._fields import left_alone
from maxsup.data._image_file import MAX_MEGAPIXELS
from maxsup.data._nothing_drawn import NothingDrawn
from maxsup.data._settings import DataSettings
from maxsup.data.photographs._settings import PhotographSettings

_NOT_FOR_DIGITS = (
    "image_column", "label_column", "probe_label", "train_split", "validation_split",
    "test_split", "test_fraction", "streaming", "max_corrupt", "max_megapixels",
)  # fmt: skip


def check_settings_of_digits(settings: DataSettings) -> None:
    """See that nothing is asked of the digits that they do not have.

    Raises:
        ValueError: Something is.
    """
    _refuse(
        settings,
        _NOT_FOR_DIGITS,
        "the digits are embedded, whole, and always divided in the same fractions",
    )


def check_settings_of_stream(settings: DataSettings) -> None:
    """See that nothing is asked of a stream that is only done to labels in memory.

    Raises:
        ValueError: Something is.
    """
    _refuse(settings, ("test_fraction", "data_seed"), "no part is held out or drawn of a stream")
    _refuse(settings, ("probe_label",), "a probe needs labels in memory, which a stream has not")


def check_settings_of_parts(settings: DataSettings, test_name: str | None) -> None:
    """See that what is said of parts to hold out is of use.

    Args:
        settings: What a user asks for.
        test_name: The test split that the data has of its own.

    Raises:
        ValueError: A setting of a part that is not held out is set, or a seed of which nothing
            depends.
    """
    if test_name is None:
        return
    _refuse(settings, ("test_fraction",), f"the test set is the split {test_name}")
    is_drawn = settings.validation or settings.label_noise
    if not is_drawn and settings.imbalance == 1 == settings.fraction:
        _refuse(settings, ("data_seed",), "nothing is held out, thinned or drawn at random")


def check_photographs(
    settings: DataSettings, photographs: PhotographSettings | None, image_size: int | None
) -> None:
    """See that nothing is said of reading that is not read so.

    Raises:
        ValueError: Something is.
    """
    if photographs is None:
        return
    if image_size is not None:
        raise ValueError(
            "image_size has no effect on photographs, whose size PhotographSettings says. "
            f"{left_alone('image_size', None)}; got {image_size}."
        )
    if photographs.max_megapixels not in (MAX_MEGAPIXELS, settings.max_megapixels):
        raise ValueError(
            "max_megapixels has no effect in PhotographSettings here: DataSettings say how much "
            f"may be decoded. {left_alone('max_megapixels', MAX_MEGAPIXELS)}; got "
            f"{photographs.max_megapixels}."
        )


def check_settings_of_masks(settings: DataSettings) -> None:
    """See that nothing is asked of images with masks that is only done to images with one label.

    Raises:
        ValueError: Something is.
    """
    if settings.name == "digits":
        raise ValueError("The digits have no masks. Name images with masks of their own.")
    _refuse(
        settings,
        ("label_column", "probe_label", "imbalance", "label_noise"),
        "an image with a mask has a label for each pixel, and none for the whole",
    )
    _refuse(settings, ("streaming",), "all masks are read once before anything is trained")


def check_settings_of_labels(settings: DataSettings) -> None:
    """See that nothing is asked of images with one label that is only done to masks.

    Raises:
        ValueError: Something is.
    """
    _refuse(
        settings,
        ("mask_column", "classes", "void", "reduce_zero_label", "colors"),
        "it is for images with masks, and this recipe learns a label for each image",
    )


def check_settings_of_preparation(settings: DataSettings) -> None:
    """See that nothing is asked of a preparation that is done when a training reads the data.

    Raises:
        ValueError: Something is.
    """
    _refuse(
        settings,
        ("validation", "test_fraction", "fraction", "imbalance", "label_noise", "data_seed"),
        "parts are held out, thinned and given wrong labels when a training reads the data",
    )
    _refuse(settings, ("streaming",), "all images are read once, and files are written")
    _refuse(settings, ("probe_label",), "a probe learns from a model that was trained")


def _refuse(settings: DataSettings, names: Sequence[str], why: str) -> None:
    defaults = {field.name: field.default for field in fields(settings)}
    for name in names:
        if getattr(settings, name) != defaults[name]:
            kind = NothingDrawn if name == "data_seed" else ValueError
            raise kind(
                f"{name} has no effect here: {why}. {left_alone(name, defaults[name])}; got "
                f"{getattr(settings, name)}."
            )
