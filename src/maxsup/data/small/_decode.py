"""Images of a data set's column, decoded once into one tensor."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import datasets
import numpy as np
import psutil
import torch
from PIL import Image
from torch import Tensor

from maxsup.data._corrupt import Corrupt
from maxsup.data._entry import (
    Entry,
    Pixels,
    UnreadableImageError,
    entry_path,
    explained,
    is_grey,
    open_image,
    read_entry,
)

_AT_ONCE = 512


def decode_images(dataset: Any, column: str, split: str, size: int | None) -> Tensor:
    """Decode a column of images.

    Args:
        dataset: A ``datasets.Dataset``.
        column: Its column of images.
        split: Its name, for messages.
        size: Side of the square that images are resized (the shorter side, bicubic) and cropped
            (at the centre) to; ``None`` takes them as they are.

    Returns:
        (N, C, H, W) uint8; C is 1 if all images are grey, else 3.

    Raises:
        ValueError: An image is corrupt or missing, the sizes differ, or memory does not suffice.
    """
    rows = dataset.select_columns([column]).cast_column(column, datasets.Image(decode=False))
    pixels: Pixels | None = None
    all_grey = True
    with ThreadPoolExecutor() as pool:
        for start in range(0, len(rows), _AT_ONCE):
            entries: Iterable[Any] = rows[start : start + _AT_ONCE][column]
            jobs = [
                pool.submit(_decode, entry, start + number, split, size)
                for number, entry in enumerate(entries)
            ]
            for number, job in enumerate(jobs):
                image, grey = job.result()
                if pixels is None:
                    pixels = _allocate(len(rows), image.shape)
                if image.shape != pixels.shape[1:]:
                    raise ValueError(
                        f"Images of split {split} differ in size: row {start + number} has "
                        f"{_size(image.shape)}, row 0 has {_size(pixels.shape[1:])} pixels. Name "
                        "the side to bring them all to with --image-size."
                    )
                pixels[start + number] = image
                all_grey = all_grey and grey
    if pixels is None:
        raise ValueError(f"Split {split} has no images.")
    tensor = torch.from_numpy(pixels)
    return tensor[:, :1].contiguous() if all_grey else tensor


def _decode(entry: Entry, row: int, split: str, size: int | None) -> tuple[Pixels, bool]:
    """An image as (3, H, W), and whether it is grey."""
    try:
        content = read_entry(entry)
        with open_image(content) as opened, explained(content):
            grey, image = is_grey(opened), opened.convert("RGB")
    except UnreadableImageError as error:
        corrupt = Corrupt(split, row, entry_path(entry), error.reason)
        raise ValueError(
            f"The image in {corrupt.place} cannot be read: {corrupt.reason}. Repair it or remove "
            "its row."
        ) from error
    if size is not None and image.size != (size, size):
        image = resize_and_crop(image, size)
    return np.asarray(image).transpose(2, 0, 1), grey


def resize_and_crop(image: Image.Image, size: int) -> Image.Image:
    """Bring the shorter side to ``size``, bicubic, and take the square at the centre."""
    width, height = image.size
    scale = size / min(width, height)
    width, height = max(size, round(width * scale)), max(size, round(height * scale))
    left, top = (width - size) // 2, (height - size) // 2
    return image.resize((width, height), Image.Resampling.BICUBIC).crop(
        (left, top, left + size, top + size)
    )


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
