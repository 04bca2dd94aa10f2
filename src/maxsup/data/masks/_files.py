"""The images and masks of a split, decoded."""

import numpy as np

from maxsup.data._corrupt import Corrupt
from maxsup.data._entry import Pixels, UnreadableImageError
from maxsup.data._image_file import ImageFile
from maxsup.data.masks._label_map import LabelMap, Labels
from maxsup.data.photographs._files import ImageFiles


class MaskFiles:
    """The images and masks of a split, by row.

    Args:
        images: The files of the images.
        masks: The files of the masks.
        label_map: What stands in them means.
        max_megapixels: How many millions of pixels may be decoded of a file.
        keep: Whether to keep in memory what has been decoded.
    """

    def __init__(
        self,
        images: ImageFiles,
        masks: ImageFiles,
        label_map: LabelMap,
        max_megapixels: int,
        *,
        keep: bool,
    ) -> None:
        self.images, self.masks, self.keep = images, masks, keep
        self._label_map, self._max_megapixels = label_map, max_megapixels
        self._kept: dict[int, tuple[Pixels, Labels]] = {}

    def read(self, row: int) -> tuple[Pixels, Labels]:
        """An image, (H, W, 3) uint8, upright, and its labels, (H, W) uint8.

        Raises:
            UnreadableImageError: One of them cannot be read, or they are not of one size.
        """
        found = self._kept.get(row)
        if found is None:
            found = self._read(row)
            if self.keep:
                self._kept[row] = found
        return found

    def describe(self, row: int, reason: str) -> Corrupt:
        """What is known of an image that cannot be read."""
        return self.images.describe(row, reason)

    def _read(self, row: int) -> tuple[Pixels, Labels]:
        file = ImageFile(self.images.read(row), self._max_megapixels)
        pixels = np.asarray(file.read().convert("RGB"))
        labels = self._label_map.read_labels(self.masks.read(row), self._max_megapixels)
        if labels.shape != pixels.shape[:2]:
            raise UnreadableImageError("its mask has another size")
        return pixels, labels
