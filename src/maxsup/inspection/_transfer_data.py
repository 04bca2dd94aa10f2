"""Another data set, read as a model's own was."""

from maxsup.data import (
    DataSettings,
    ImageData,
    LabelledSplit,
    PhotographSettings,
    ResidentSplit,
    load_images,
    short_name,
)
from maxsup.inspection._subject import Subject, sample
from maxsup.models import ModelDescription, TrainedModel


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


def transfer_parts(subject: Subject, word: str) -> tuple[LabelledSplit, LabelledSplit, int]:
    """Training and test images of other data, and how many classes it has.

    Raises:
        ValueError: The data cannot be read, or not be given to the model.
    """
    assert subject.trained is not None
    data = _load(subject, subject.trained, word)
    parts = []
    for split in (data.train, data.test):
        labelled = _in_colours(split.labelled, subject.trained.description, word)
        if labelled is None:
            raise ValueError(f"transfer_data: {word} cannot be looked at as a stream.")
        parts.append(labelled)
    return sample(parts[0], subject.train_samples), parts[1], len(data.classes)


def _load(subject: Subject, trained: TrainedModel, word: str) -> ImageData:
    of = trained.description
    _, height, width = of.input_size
    settings = settings_of(word)
    if of.reading == "photographs":
        photographs = PhotographSettings(height, of.crop, of.interpolation)
        return subject.share(
            ("transfer", word, photographs), lambda: load_images(settings, photographs=photographs)
        )
    if height != width:
        raise ValueError(
            f"transfer_data: {subject.place} takes images of {width}×{height} pixels; other data "
            "is brought to squares alone."
        )
    return subject.share(
        ("transfer", word, height), lambda: load_images(settings, image_size=height)
    )


def _in_colours(
    split: LabelledSplit | None, description: ModelDescription, word: str
) -> LabelledSplit | None:
    if split is None or split.image_shape[0] == description.input_size[0]:
        return split
    if isinstance(split, ResidentSplit) and description.input_size[0] == 3:
        return split.with_colours()
    raise ValueError(
        f"transfer_data: the images of {word} have {split.image_shape[0]} channels, and the model "
        f"takes {description.input_size[0]}."
    )
