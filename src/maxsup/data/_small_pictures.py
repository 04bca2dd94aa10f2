"""Images made small, as a page holds them."""

import base64
import io
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from maxsup.data._splits import LabelledSplit

_SIDE = 64
"""Pixels of a picture's longer side."""
_NOT_BLURRED = 32
"""Pixels up to which a picture is kept exactly."""
_READ_TOGETHER = 50


def small_pictures(split: LabelledSplit, ids: Sequence[int]) -> Iterator[tuple[int, str]]:
    """The images of these ids as data URLs, with their ids, read as they are asked for.

    An image that is not in the split, or that cannot be read, is left out.
    """
    position = {int(each): number for number, each in enumerate(split.ids.tolist())}
    for start in range(0, len(ids), _READ_TOGETHER):
        part = [each for each in ids[start : start + _READ_TOGETHER] if each in position]
        if not part:
            continue
        samples = split.select(torch.tensor([position[each] for each in part]))
        images = {
            int(number): image
            for batch in samples.evaluation_batches(_READ_TOGETHER)
            for number, image in zip(batch.ids, batch.images, strict=True)
        }
        for each in part:
            if each in images:
                yield each, data_url(images[each])


def data_url(image: Tensor) -> str:
    """An image (C, H, W) uint8, made small, as a data URL: a PNG or a JPEG, which is shorter.

    Of other numbers of channels than one and three the first is taken.
    """
    from PIL import Image

    channels = image if len(image) in (1, 3) else image[:1]
    pixels: NDArray[Any] = channels.permute(1, 2, 0).cpu().numpy()
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    picture.thumbnail((_SIDE, _SIDE))
    written = [picture_url(picture, "PNG", optimize=True)]
    if max(picture.size) > _NOT_BLURRED:
        written.append(picture_url(picture, "JPEG", quality=80))
    return min(written, key=len)


def picture_url(picture: Any, form: str, **options: Any) -> str:
    """A picture of Pillow's as a data URL in a format such as PNG, with that format's options."""
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return f"data:image/{form.lower()};base64,{base64.b64encode(buffer.getvalue()).decode()}"
