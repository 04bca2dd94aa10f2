"""From a name or a path to batches on the device."""

from maxsup.data._batches import Augmentation, ResidentBatches, evaluation_batches
from maxsup.data._crop import Box, centre_box, random_crop_box
from maxsup.data._images import ImageData, Split
from maxsup.data._jpeg import decode_crop
from maxsup.data._load import load_images, short_name
from maxsup.data._mixing import Mixing, mix
from maxsup.data._normalize import Normalization
from maxsup.data._prepare import (
    Corrupt,
    Prepared,
    Smaller,
    prepare_shards,
    read_bytes,
    shrink_image,
)
from maxsup.data._settings import DataSettings

__all__ = [
    "Augmentation",
    "Box",
    "Corrupt",
    "DataSettings",
    "ImageData",
    "Mixing",
    "Normalization",
    "Prepared",
    "ResidentBatches",
    "Smaller",
    "Split",
    "centre_box",
    "decode_crop",
    "evaluation_batches",
    "load_images",
    "mix",
    "prepare_shards",
    "random_crop_box",
    "read_bytes",
    "short_name",
    "shrink_image",
]
