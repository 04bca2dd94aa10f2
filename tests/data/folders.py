"""Data sets on disk, made for the tests."""

import io
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import datasets
import numpy as np
from PIL import Image


def picture(seed: int, size: tuple[int, int] = (8, 8), mode: str = "RGB") -> Image.Image:
    """Random pixels."""
    generator = np.random.default_rng(seed)
    width, height = size
    shape = (height, width) if mode == "L" else (height, width, 3)
    return Image.fromarray(generator.integers(0, 256, shape, dtype=np.uint8), mode=None)


def image_folder(
    root: Path,
    splits: dict[str, int],
    classes: Iterable[str] = ("cat", "dog"),
    make: Callable[[int], Image.Image] = picture,
) -> Path:
    """Class sub-folders with so many images each, below a folder for each split ("" for none)."""
    seed = 0
    for split, count in splits.items():
        for name in classes:
            place = root / split / name
            place.mkdir(parents=True)
            for number in range(count):
                make(seed).save(place / f"{number}.png")
                seed += 1
    return root


def parquet(
    path: Path, columns: dict[str, list[Any]], features: dict[str, Any] | None = None
) -> Path:
    """A Parquet file with the given columns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kinds = datasets.Features(features) if features else None
    datasets.Dataset.from_dict(columns, features=kinds).to_parquet(path)
    return path


def web_dataset(path: Path, labels: list[int]) -> Path:
    """A tar with an image and its label for each sample."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for number, label in enumerate(labels):
            buffer = io.BytesIO()
            picture(number).save(buffer, "PNG")
            for extension, content in (("png", buffer.getvalue()), ("cls", str(label).encode())):
                member = tarfile.TarInfo(f"{number:04d}.{extension}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return path
