"""From a name or a path to batches on the device."""

from maxsup.data._batches import Augmentation, ResidentBatches, evaluation_batches
from maxsup.data._crop import Box, centre_box, random_crop_box
from maxsup.data._images import ImageData, Split
from maxsup.data._jpeg import decode_crop
from maxsup.data._load import load_images, short_name
from maxsup.data._mixing import Mixing, mix
from maxsup.data._normalize import Normalization
from maxsup.data._settings import DataSettings

__all__ = [
    "Augmentation",
    "Box",
    "DataSettings",
    "ImageData",
    "Mixing",
    "Normalization",
    "ResidentBatches",
    "Split",
    "centre_box",
    "decode_crop",
    "evaluation_batches",
    "load_images",
    "mix",
    "random_crop_box",
    "short_name",
]
