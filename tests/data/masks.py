"""Images with masks on disk, made for the tests."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import datasets
import numpy as np
from PIL import Image
from tests.data.folders import picture


def mask(
    seed: int, size: tuple[int, int] = (16, 12), values: Sequence[int] = (0, 1, 2, 255)
) -> Image.Image:
    """Random labels, in blocks of 2×2 pixels."""
    generator = np.random.default_rng(seed)
    width, height = size
    blocks = generator.choice(values, (-(-height // 2), -(-width // 2)))
    return Image.fromarray(blocks.repeat(2, 0).repeat(2, 1)[:height, :width].astype(np.uint8))


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> dict[str, Any]:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return {"bytes": buffer.getvalue(), "path": None}


def mask_parquet(
    root: Path,
    splits: Mapping[str, Sequence[tuple[Image.Image, Image.Image | None]]],
    column: str = "annotation",
) -> str:
    """Parquet files as the Hub has them, one for each split."""
    root.mkdir(exist_ok=True)
    kinds = datasets.Features({"image": datasets.Image(), column: datasets.Image()})
    for name, pairs in splits.items():
        columns = {
            "image": [encoded(image) for image, _ in pairs],
            column: [None if each is None else encoded(each) for _, each in pairs],
        }
        datasets.Dataset.from_dict(columns, features=kinds).to_parquet(root / f"{name}.parquet")
    return str(root)


def pairs(
    count: int, first: int = 0, size: tuple[int, int] = (16, 12), **options: Any
) -> list[tuple[Image.Image, Image.Image]]:
    """So many images with masks."""
    return [
        (picture(seed, size), mask(seed, size, **options)) for seed in range(first, first + count)
    ]


def write_pairs(
    images: Path, masks: Path, found: Sequence[tuple[Any, Any]], first: int = 0
) -> None:
    """Images and masks as files of the same names in two folders."""
    for place in (images, masks):
        place.mkdir(parents=True, exist_ok=True)
    for number, (image, labels) in enumerate(found, first):
        image.save(images / f"{number:03d}.png")
        labels.save(masks / f"{number:03d}.png")


_COLORS = np.array([[220, 40, 40], [40, 200, 60], [50, 60, 220]])


def scene(seed: int, size: tuple[int, int] = (24, 16)) -> tuple[Image.Image, Image.Image]:
    """Upright stripes of coloured noise, each class in its colour; a void line between them."""
    generator = np.random.default_rng(seed)
    width, height = size
    edges = np.sort(generator.choice(np.arange(4, width - 3), 2, replace=False))
    labels = np.zeros((height, width), dtype=np.uint8)
    order = generator.permutation(3)
    for number, label in enumerate(order):
        begin, end = [0, *edges][number], [*edges, width][number]
        labels[:, begin:end] = label
    pixels = _COLORS[labels] + generator.normal(0, 20, (height, width, 3))
    labels[:, edges] = 255
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8)), Image.fromarray(labels)
