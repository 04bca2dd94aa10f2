"""From a name or a path to batches on the device."""

from typing import TYPE_CHECKING

from maxsup._lazy import lazy_names

if TYPE_CHECKING:
    from maxsup.data._batches import Augmentation as Augmentation
    from maxsup.data._batches import ResidentBatches as ResidentBatches
    from maxsup.data._corrupt import Corrupt as Corrupt
    from maxsup.data._corrupt import CorruptImages as CorruptImages
    from maxsup.data._crop import Box as Box
    from maxsup.data._crop import centre_box as centre_box
    from maxsup.data._crop import random_crop_box as random_crop_box
    from maxsup.data._evaluation import evaluation_batches as evaluation_batches
    from maxsup.data._images import AnySplit as AnySplit
    from maxsup.data._images import ImageData as ImageData
    from maxsup.data._images import Split as Split
    from maxsup.data._jpeg import decode_crop as decode_crop
    from maxsup.data._load import load_images as load_images
    from maxsup.data._load import short_name as short_name
    from maxsup.data._loaded import LoadedBatches as LoadedBatches
    from maxsup.data._loaded import PhotographAugmentation as PhotographAugmentation
    from maxsup.data._mixing import Mixing as Mixing
    from maxsup.data._mixing import mix as mix
    from maxsup.data._normalize import Normalization as Normalization
    from maxsup.data._prepare import Prepared as Prepared
    from maxsup.data._prepare import prepare_shards as prepare_shards
    from maxsup.data._prepare import shrink_image as shrink_image
    from maxsup.data._settings import DataSettings as DataSettings
    from maxsup.data._smaller import Smaller as Smaller
    from maxsup.data._smaller import read_bytes as read_bytes
    from maxsup.data._stored import ImageFiles as ImageFiles
    from maxsup.data._stored import Photographs as Photographs
    from maxsup.data._stored import StoredSplit as StoredSplit
    from maxsup.data._streamed import StreamedSplit as StreamedSplit

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
    "short_name",
    "shrink_image",
]

__getattr__ = lazy_names(
    __name__,
    (),
    {
        "_batches": ["Augmentation", "ResidentBatches"],
        "_corrupt": ["Corrupt", "CorruptImages"],
        "_crop": ["Box", "centre_box", "random_crop_box"],
        "_evaluation": ["evaluation_batches"],
        "_images": ["AnySplit", "ImageData", "Split"],
        "_jpeg": ["decode_crop"],
        "_load": ["load_images", "short_name"],
        "_loaded": ["LoadedBatches", "PhotographAugmentation"],
        "_mixing": ["Mixing", "mix"],
        "_normalize": ["Normalization"],
        "_prepare": ["Prepared", "prepare_shards", "shrink_image"],
        "_settings": ["DataSettings"],
        "_smaller": ["Smaller", "read_bytes"],
        "_stored": ["ImageFiles", "Photographs", "StoredSplit"],
        "_streamed": ["StreamedSplit"],
    },
)


def __dir__() -> list[str]:
    return __all__
