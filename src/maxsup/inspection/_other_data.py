"""Another data set, read as a model's own was."""

from dataclasses import replace

import torch

from maxsup.data import (
    DataSettings,
    ImageData,
    LabelledSplit,
    PhotographSettings,
    ResidentSplit,
    load_images,
)
from maxsup.inspection._subject import Subject

_GREY = (0.299, 0.587, 0.114)


def load_other_data(subject: Subject, word: str, option: str) -> ImageData:
    """Data at the size, and by the preprocessing, of a model's own; loaded once for all models.

    Args:
        subject: With a model.
        word: The data, as a user names it.
        option: What names it, for messages.

    Raises:
        ValueError: It cannot be read, or not be given to the model.
    """
    assert subject.trained is not None
    of = subject.trained.description
    _, height, width = of.input_size
    settings = DataSettings(word)
    try:
        if of.reading == "photographs":
            photographs = PhotographSettings(height, of.crop, of.interpolation)
            return subject.share(
                ("other", word, photographs),
                lambda: load_images(settings, photographs=photographs),
            )
        if height != width:
            raise ValueError(
                f"{subject.place} takes images of {width}×{height} pixels, and other data is "
                "brought to squares alone."
            )
        return subject.share(
            ("other", word, height), lambda: load_images(settings, image_size=height)
        )
    except ValueError as error:
        raise ValueError(f"{option}: {word} cannot be given to {subject.place}: {error}") from error


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
