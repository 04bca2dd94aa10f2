"""From a name or a path to batches on the device."""

from maxsup.data._batches import Augmentation, ResidentBatches, evaluation_batches
from maxsup.data._images import ImageData, Split
from maxsup.data._load import load_images, short_name
from maxsup.data._mixing import Mixing, mix
from maxsup.data._normalize import Normalization
from maxsup.data._settings import DataSettings

__all__ = [
    "Augmentation",
    "DataSettings",
    "ImageData",
    "Mixing",
    "Normalization",
    "ResidentBatches",
    "Split",
    "evaluation_batches",
    "load_images",
    "mix",
    "short_name",
]
