"""From a name or a path to batches on the device.

``sources/`` finds the rows of what a user names; ``small/`` keeps images in memory, and
``photographs/`` reads them as they are needed; ``prepare/`` makes photographs smaller once. What
every split can do, wherever its images are, is :class:`ImageSplit`. ``masks/`` has images with a
label for each pixel, and batches of its own. ``corruptions/`` spoils images on purpose.
"""

from typing import TYPE_CHECKING

from maxsup._lazy import lazy_names

if TYPE_CHECKING:
    from maxsup.data._batch_settings import BatchSettings as BatchSettings
    from maxsup.data._corrupt import Corrupt as Corrupt
    from maxsup.data._corrupt import CorruptImages as CorruptImages
    from maxsup.data._entry import UnreadableImageError as UnreadableImageError
    from maxsup.data._image_data import ImageData as ImageData
    from maxsup.data._load import load_images as load_images
    from maxsup.data._load_unlabelled import load_unlabelled as load_unlabelled
    from maxsup.data._look import Look as Look
    from maxsup.data._look import look_at as look_at
    from maxsup.data._mixing import Mixing as Mixing
    from maxsup.data._mixing import mix as mix
    from maxsup.data._normalization import ChannelStatistics as ChannelStatistics
    from maxsup.data._normalization import Normalization as Normalization
    from maxsup.data._nothing_drawn import NothingDrawn as NothingDrawn
    from maxsup.data._probe_labels import ProbeLabels as ProbeLabels
    from maxsup.data._settings import DataSettings as DataSettings
    from maxsup.data._settings import near_name as near_name
    from maxsup.data._settings import short_name as short_name
    from maxsup.data._small_pictures import data_url as data_url
    from maxsup.data._small_pictures import picture_url as picture_url
    from maxsup.data._small_pictures import small_pictures as small_pictures
    from maxsup.data._splits import EvaluationBatch as EvaluationBatch
    from maxsup.data._splits import ImageSplit as ImageSplit
    from maxsup.data._splits import LabelledSplit as LabelledSplit
    from maxsup.data._splits import MeasuredImages as MeasuredImages
    from maxsup.data._splits import TrainingBatches as TrainingBatches
    from maxsup.data.photographs._augmentation import (
        PhotographAugmentation as PhotographAugmentation,
    )
    from maxsup.data.photographs._batches import LoadedBatches as LoadedBatches
    from maxsup.data.photographs._centre import read_central_part as read_central_part
    from maxsup.data.photographs._crop import Box as Box
    from maxsup.data.photographs._crop import centre_box as centre_box
    from maxsup.data.photographs._crop import random_crop_box as random_crop_box
    from maxsup.data.photographs._files import ImageFiles as ImageFiles
    from maxsup.data.photographs._jpeg import decode_crop as decode_crop
    from maxsup.data.photographs._settings import PhotographSettings as PhotographSettings
    from maxsup.data.photographs._stored import StoredSplit as StoredSplit
    from maxsup.data.photographs._streamed import StreamedSplit as StreamedSplit
    from maxsup.data.prepare._settings import ShrinkSettings as ShrinkSettings
    from maxsup.data.prepare._settings import read_bytes as read_bytes
    from maxsup.data.prepare._shards import Prepared as Prepared
    from maxsup.data.prepare._shards import prepare_shards as prepare_shards
    from maxsup.data.prepare._shrink import shrink_image as shrink_image
    from maxsup.data.small._augmentation import Augmentation as Augmentation
    from maxsup.data.small._batches import ResidentBatches as ResidentBatches
    from maxsup.data.small._image import read_small_image as read_small_image
    from maxsup.data.small._split import ResidentSplit as ResidentSplit
    from maxsup.data.sources._objects import Objects as Objects
    from maxsup.data.sources._objects import Shown as Shown
    from maxsup.data.sources._objects import read_objects as read_objects

__all__ = [
    "Augmentation",
    "BatchSettings",
    "Box",
    "ChannelStatistics",
    "Corrupt",
    "CorruptImages",
    "DataSettings",
    "EvaluationBatch",
    "ImageData",
    "ImageFiles",
    "ImageSplit",
    "LabelledSplit",
    "LoadedBatches",
    "Look",
    "MeasuredImages",
    "Mixing",
    "Normalization",
    "NothingDrawn",
    "Objects",
    "PhotographAugmentation",
    "PhotographSettings",
    "Prepared",
    "ProbeLabels",
    "ResidentBatches",
    "ResidentSplit",
    "Shown",
    "ShrinkSettings",
    "StoredSplit",
    "StreamedSplit",
    "TrainingBatches",
    "UnreadableImageError",
    "centre_box",
    "data_url",
    "decode_crop",
    "load_images",
    "load_unlabelled",
    "look_at",
    "mix",
    "near_name",
    "picture_url",
    "prepare_shards",
    "random_crop_box",
    "read_bytes",
    "read_central_part",
    "read_objects",
    "read_small_image",
    "short_name",
    "shrink_image",
    "small_pictures",
]

__getattr__ = lazy_names(
    __name__,
    [],
    {
        "_batch_settings": ["BatchSettings"],
        "_corrupt": ["Corrupt", "CorruptImages"],
        "_entry": ["UnreadableImageError"],
        "_image_data": ["ImageData"],
        "_load": ["load_images"],
        "_load_unlabelled": ["load_unlabelled"],
        "_look": ["Look", "look_at"],
        "_mixing": ["Mixing", "mix"],
        "_normalization": ["ChannelStatistics", "Normalization"],
        "_nothing_drawn": ["NothingDrawn"],
        "_probe_labels": ["ProbeLabels"],
        "_settings": ["DataSettings", "near_name", "short_name"],
        "_small_pictures": ["data_url", "picture_url", "small_pictures"],
        "_splits": [
            "EvaluationBatch",
            "ImageSplit",
            "LabelledSplit",
            "MeasuredImages",
            "TrainingBatches",
        ],
        "photographs._augmentation": ["PhotographAugmentation"],
        "photographs._batches": ["LoadedBatches"],
        "photographs._centre": ["read_central_part"],
        "photographs._crop": ["Box", "centre_box", "random_crop_box"],
        "photographs._files": ["ImageFiles"],
        "photographs._jpeg": ["decode_crop"],
        "photographs._settings": ["PhotographSettings"],
        "photographs._stored": ["StoredSplit"],
        "photographs._streamed": ["StreamedSplit"],
        "prepare._settings": ["ShrinkSettings", "read_bytes"],
        "prepare._shards": ["Prepared", "prepare_shards"],
        "prepare._shrink": ["shrink_image"],
        "small._augmentation": ["Augmentation"],
        "small._batches": ["ResidentBatches"],
        "small._image": ["read_small_image"],
        "small._split": ["ResidentSplit"],
        "sources._objects": ["Objects", "Shown", "read_objects"],
    },
)


def __dir__() -> list[str]:
    return __all__
