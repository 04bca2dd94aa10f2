"""Images with masks: from a name or a path to batches for semantic segmentation.

Within maxsup the label of a pixel is its class, from 0 to K − 1, or 255 for void, whatever stands
in the files.
"""

from typing import TYPE_CHECKING

from maxsup._lazy import lazy_names

if TYPE_CHECKING:
    from maxsup.data.masks._batch_settings import MaskBatchSettings as MaskBatchSettings
    from maxsup.data.masks._batches import MaskBatches as MaskBatches
    from maxsup.data.masks._data import MaskData as MaskData
    from maxsup.data.masks._load import load_masks as load_masks
    from maxsup.data.masks._palette import safe_palette as safe_palette
    from maxsup.data.masks._settings import VOID as VOID
    from maxsup.data.masks._settings import MaskSettings as MaskSettings
    from maxsup.data.masks._split import MaskSplit as MaskSplit

__all__ = [
    "VOID",
    "MaskBatchSettings",
    "MaskBatches",
    "MaskData",
    "MaskSettings",
    "MaskSplit",
    "load_masks",
    "safe_palette",
]

__getattr__ = lazy_names(
    __name__,
    [],
    {
        "_batch_settings": ["MaskBatchSettings"],
        "_batches": ["MaskBatches"],
        "_data": ["MaskData"],
        "_load": ["load_masks"],
        "_palette": ["safe_palette"],
        "_settings": ["VOID", "MaskSettings"],
        "_split": ["MaskSplit"],
    },
)


def __dir__() -> list[str]:
    return __all__
