"""From a name or a path to batches on the device."""

from maxsup.data._batches import Augmentation, ResidentBatches
from maxsup.data._corrupt import Corrupt, CorruptImages
from maxsup.data._crop import Box, centre_box, random_crop_box
from maxsup.data._evaluation import evaluation_batches
from maxsup.data._images import AnySplit, ImageData, Split
from maxsup.data._jpeg import decode_crop
from maxsup.data._load import load_images, short_name
from maxsup.data._loaded import LoadedBatches, PhotographAugmentation
from maxsup.data._mixing import Mixing, mix
from maxsup.data._normalize import Normalization
from maxsup.data._prepare import (
    Prepared,
    Smaller,
    prepare_shards,
    read_bytes,
    shrink_image,
)
from maxsup.data._settings import DataSettings
from maxsup.data._single import read_central_part, read_small_image
from maxsup.data._stored import ImageFiles, Photographs, StoredSplit
from maxsup.data._streamed import StreamedSplit

__all__ = [
    "AnySplit",
    "Augmentation",
    "Box",
    "Corrupt",
    "CorruptImages",
    "DataSettings",
    "ImageData",
    "ImageFiles",
    "LoadedBatches",
    "Mixing",
    "Normalization",
    "PhotographAugmentation",
    "Photographs",
    "Prepared",
    "ResidentBatches",
    "Smaller",
    "Split",
    "StoredSplit",
    "StreamedSplit",
    "centre_box",
    "decode_crop",
    "evaluation_batches",
    "load_images",
    "mix",
    "prepare_shards",
    "random_crop_box",
    "read_bytes",
    "read_central_part",
    "read_small_image",
    "short_name",
    "shrink_image",
]
