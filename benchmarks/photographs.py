"""Photographs for the benchmarks: a folder's or a Parquet file's, as they are or enlarged."""

import argparse
import io
from pathlib import Path

import datasets
import numpy as np
from PIL import Image

from maxsup.data import DataSettings
from maxsup.data._entry import read_entry
from maxsup.data.sources._open import open_source

NOISE = 8.0  # levels; with the quality, it brings 500×375 to about 110 KB, as photographs are
QUALITY = 95


def size_of(text: str) -> tuple[int, int]:
    parts = text.split("x")
    if len(parts) != 2 or not all(part.isdigit() and int(part) > 0 for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form WIDTHxHEIGHT")
    return int(parts[0]), int(parts[1])


def load_photographs(
    path: Path, limit: int | None, upscale: tuple[int, int] | None
) -> list[tuple[bytes, int]]:
    """Files with their labels, evenly from all of the data."""
    source = open_source(DataSettings(str(path)), None)
    rows = source.train.cast_column(source.image_column, datasets.Image(decode=False))
    step = max(1, len(rows) // limit) if limit else 1
    rows = rows.select(range(0, len(rows), step)[:limit])
    photographs = []
    for number, row in enumerate(rows):
        content = read_entry(row[source.image_column])
        if upscale is not None:
            content = enlarged(content, upscale, number)
        photographs.append((content, row[source.label_column]))
    return photographs


def enlarged(content: bytes, size: tuple[int, int], seed: int) -> bytes:
    """Bicubic, with noise: a smooth image has fewer bytes than a photograph, and decodes faster."""
    with Image.open(io.BytesIO(content)) as opened:
        image = opened.convert("RGB").resize(size, Image.Resampling.BICUBIC)
    noise = np.random.default_rng(seed).normal(0, NOISE, (size[1], size[0], 1))
    noisy = (np.asarray(image) + noise).round().clip(0, 255).astype(np.uint8)
    return encoded(Image.fromarray(noisy))


def encoded(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


def described(photographs: list[tuple[bytes, int]], upscale: tuple[int, int] | None) -> str:
    kilobytes = np.mean([len(content) for content, _ in photographs]) / 1000
    text = f"{len(photographs):,} photographs of {kilobytes:.0f} KB on average"
    if upscale is None:
        return text
    return (
        f"{text}: enlarged to {upscale[0]}×{upscale[1]}, bicubic, with noise of {NOISE:g} levels, "
        f"quality {QUALITY}"
    )
