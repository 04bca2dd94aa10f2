"""Images of a data set's column, decoded once into one tensor."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import datasets
import numpy as np
import psutil
import torch
from PIL import Image
from torch import Tensor

from maxsup.data._corrupt import Corrupt, CorruptImages
from maxsup.data._entry import Entry, Pixels, UnreadableImageError, entry_path, read_entry
from maxsup.data._image_file import MAX_MEGAPIXELS
from maxsup.data.small._image import open_small_image

_AT_ONCE = 512


class DecodedImages(NamedTuple):
    """A split's images that could be read."""

    images: Tensor
    """(N, C, H, W) uint8; C is 1 if all are grey, else 3."""
    rows: Tensor
    """(N,) int64: where they stand in the split."""


def decode_images(
    dataset: Any,
    column: str,
    split: str,
    size: int | None,
    corrupt: CorruptImages,
    max_megapixels: int = MAX_MEGAPIXELS,
) -> DecodedImages:
    """Decode a column of images.

    Args:
        dataset: A ``datasets.Dataset``.
        column: Its column of images.
        split: Its name, for messages.
        size: Side of the square that images are resized (the shorter side, bicubic) and cropped
            (at the centre) to; ``None`` takes them as they are.
        corrupt: Where those are noted that are left out, because they cannot be read.
        max_megapixels: How many millions of pixels may be decoded of an image.

    Raises:
        ValueError: More images than may be cannot be read, the sizes differ, or memory does not
            suffice.
    """
    rows = dataset.select_columns([column]).cast_column(column, datasets.Image(decode=False))
    kept: list[int] = []
    unreadable: list[Corrupt] = []
    pixels: Pixels | None = None
    all_grey = True

    def decode(entry: Entry) -> Image.Image | UnreadableImageError:
        try:
            return open_small_image(read_entry(entry), size, max_megapixels)
        except UnreadableImageError as error:
            return error

    with ThreadPoolExecutor() as pool:
        for start in range(0, len(rows), _AT_ONCE):
            entries: Iterable[Any] = rows[start : start + _AT_ONCE][column]
            jobs = [(entry_path(entry), pool.submit(decode, entry)) for entry in entries]
            for row, (path, job) in enumerate(jobs, start):
                image = job.result()
                if isinstance(image, UnreadableImageError):
                    unreadable.append(Corrupt(split, row, path, image.reason))
                    continue
                if pixels is None:
                    pixels = _allocate(len(rows), (3, image.height, image.width))
                if (image.height, image.width) != pixels.shape[2:]:
                    raise ValueError(
                        f"Images of split {split} differ in size: row {row} has "
                        f"{image.width}×{image.height}, row {kept[0]} has "
                        f"{_size(pixels.shape[1:])} pixels. Name the side to bring them all to "
                        "with --image-size."
                    )
                all_grey = all_grey and image.mode == "L"
                pixels[len(kept)] = np.asarray(image.convert("RGB")).transpose(2, 0, 1)
                kept.append(row)
    corrupt.add(unreadable)
    if pixels is None:
        raise ValueError(f"Split {split} has no images.")
    # What is left over at its end is never written to, so it takes no memory.
    tensor = torch.from_numpy(pixels)[: len(kept)]
    images = tensor[:, :1].contiguous() if all_grey else tensor
    return DecodedImages(images, torch.tensor(kept, dtype=torch.int64))


def _allocate(count: int, shape: tuple[int, ...]) -> Pixels:
    needed, free = count * int(np.prod(shape)), psutil.virtual_memory().available
    if needed > 0.6 * free:
        raise ValueError(
            f"{count:,} images of {_size(shape)} pixels take {needed / 2**30:.1f} GiB, and "
            f"{free / 2**30:.1f} GiB of memory are free. Take a smaller --image-size."
        )
    return np.empty((count, *shape), dtype=np.uint8)


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[-1]}×{shape[-2]}"
