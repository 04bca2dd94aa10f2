"""The photographs of an opened source, left on disk."""

from dataclasses import replace
from typing import Any

import torch

from maxsup.data._corrupt import CorruptImages
from maxsup.data._settings import DataSettings
from maxsup.data.photographs._files import ImageFiles
from maxsup.data.photographs._settings import PhotographSettings
from maxsup.data.photographs._stored import StoredSplit
from maxsup.data.sources._labels import read_labels
from maxsup.data.sources._open import Source


def open_photographs(
    source: Source, classes: tuple[str, ...], photographs: PhotographSettings, data: DataSettings
) -> tuple[StoredSplit, StoredSplit | None, StoredSplit | None]:
    """Read the labels of the photographs to train on, and those to validate and to measure on.

    Raises:
        ValueError: A label is none of the classes.
    """
    corrupt = CorruptImages(data.max_corrupt)
    settings = replace(photographs, max_megapixels=data.max_megapixels)

    def open_split(dataset: Any, name: str | None) -> StoredSplit | None:
        if dataset is None or name is None:
            return None
        labels = read_labels(dataset, source.label_column, classes, name)
        files = ImageFiles(dataset, source.image_column, name)
        return StoredSplit(files, torch.arange(len(files)), labels, labels, settings, corrupt)

    train = open_split(source.train, source.train_name)
    assert train is not None
    return (
        train,
        open_split(source.validation, source.validation_name),
        open_split(source.test, source.test_name),
    )
