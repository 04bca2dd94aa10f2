"""Images per second and core that loaders bring to a training, at 224 pixels.

Each round runs every loader once over the same photographs, in another order; a ratio is the
median over the rounds of its speed by timm's of the same round with as many workers. All crop at
random, flip, and bring batches of uint8 to the training's process; that becomes floating-point and
is normalised on the device, by timm too, and is left out. A core is a second of processor time of
all processes together, which what else the machine does changes least.

    python benchmarks/loader.py --data FOLDER_OR_PARQUET [--upscale 500x375] [--limit 600]
        [--workers 1 2] [--rounds 7] [--sides 256 320]

A second table has the decoders alone, without cropping or resizing, and a third what it takes from
a file's content to a crop, in one thread.
"""

import argparse
import io
import os
import random
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

import datasets
import numpy as np
import psutil
import simplejpeg
import torch
from PIL import Image
from rich import box
from rich.console import Console
from rich.table import Table
from torch.utils.data import DataLoader, Dataset

from maxsup._seeds import derive_seed
from maxsup.data import (
    DataSettings,
    ShrinkSettings,
    decode_crop,
    prepare_shards,
    random_crop_box,
)
from maxsup.data.photographs._shared_memory import empty_shared
from photographs import described, load_photographs, size_of

SIZE, BATCH = 224, 64
TIMM = "timm create_loader, original files"

Loader = Callable[[], Iterable[tuple[torch.Tensor, torch.Tensor]]]


# ---------------------------------------------------------------------------------------- loaders


class Photographs(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Batches of random crops, mirrored at random, as a training takes them."""

    def __init__(self, contents: Callable[[int], tuple[bytes, int]], count: int) -> None:
        self._contents, self._count = contents, count

    def __len__(self) -> int:
        return self._count

    def __getitems__(self, indices: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
        # In memory that the training's process sees, so that no batch is copied there.
        batch = empty_shared((len(indices), SIZE, SIZE, 3))
        labels = torch.empty(len(indices), dtype=torch.int64)
        for position, index in enumerate(indices):
            content, label = self._contents(index)
            generator = np.random.default_rng(derive_seed(0, "crop", index))
            pixels = torch.from_numpy(
                decode_crop(content, partial(random_crop_box, draws=generator), SIZE)
            )
            batch[position] = pixels.flip(1) if generator.random() < 0.5 else pixels
            labels[position] = label
        return batch.permute(0, 3, 1, 2), labels


def as_it_is(batch: tuple[torch.Tensor, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    return batch


def ours(contents: Callable[[int], tuple[bytes, int]], count: int, workers: int) -> Loader:
    loader = DataLoader(
        Photographs(contents, count),
        BATCH,
        shuffle=True,
        drop_last=True,
        num_workers=workers,
        persistent_workers=True,
        collate_fn=as_it_is,
    )
    return lambda: loader


def from_files(folder: Path, workers: int) -> Loader:
    files = sorted(folder.glob("*/*"))
    names = sorted({file.parent.name for file in files})
    labels = {name: index for index, name in enumerate(names)}

    def content(index: int) -> tuple[bytes, int]:
        return files[index].read_bytes(), labels[files[index].parent.name]

    return ours(content, len(files), workers)


def from_shards(folder: Path, workers: int) -> Loader:
    rows = datasets.load_dataset(str(folder), split="train", cache_dir=str(folder / "cache"))
    table = rows.with_format("arrow")

    def content(index: int) -> tuple[bytes, int]:
        row = table[index]
        return row["image"][0]["bytes"].as_py(), row["label"][0].as_py()

    return ours(content, len(rows), workers)


def timms(folder: Path, workers: int) -> Loader:
    from timm.data import ImageDataset, create_loader

    loader = create_loader(
        ImageDataset(str(folder)),
        (3, SIZE, SIZE),
        BATCH,
        is_training=True,
        color_jitter=None,
        interpolation="bilinear",
        num_workers=workers,
        device=torch.device("cpu"),
    )
    return lambda: loader


# -------------------------------------------------------------------------------------- measuring


def processor_seconds() -> float:
    """Processor time of this process and its workers, which stay from round to round."""
    times = []
    for process in (psutil.Process(), *psutil.Process().children(recursive=True)):
        try:
            times.append(sum(process.cpu_times()[:2]))
        except psutil.NoSuchProcess:
            continue
    return sum(times)


def speeds(loader: Loader) -> tuple[float, float]:
    """Images per second, and per second of a processor."""
    busy, start, count = processor_seconds(), time.perf_counter(), 0
    for images, _ in loader():
        count += len(images)
    return count / (time.perf_counter() - start), count / (processor_seconds() - busy)


def in_rounds(
    contestants: dict[str, Callable[[], tuple[float, ...]]], rounds: int
) -> dict[str, list[tuple[float, ...]]]:
    """Each contestant's numbers, one tuple a round, after a round to warm up."""
    order, shuffle = list(contestants), random.Random(0)
    for name in order:
        contestants[name]()
    found: dict[str, list[tuple[float, ...]]] = {name: [] for name in order}
    for _ in range(rounds):
        shuffle.shuffle(order)
        for name in order:
            found[name].append(contestants[name]())
    return found


def milliseconds(function: Callable[[bytes], object], contents: Sequence[bytes]) -> tuple[float]:
    start = time.perf_counter()
    for content in contents:
        function(content)
    return (1000 * (time.perf_counter() - start) / len(contents),)


def decoders() -> dict[str, Callable[[bytes], object]]:
    """All pixels as RGB, and half of the side where it can be had."""

    def pillow(content: bytes, scale: int = 1) -> np.ndarray:
        image = Image.open(io.BytesIO(content))
        image.draft("RGB", (image.width // scale, image.height // scale))
        return np.asarray(image.convert("RGB"))

    found: dict[str, Callable[[bytes], object]] = {
        "Pillow": pillow,
        "Pillow, draft at a half": partial(pillow, scale=2),
        "simplejpeg": lambda content: simplejpeg.decode_jpeg(content, strict=False),
        "simplejpeg at a half": lambda content: simplejpeg.decode_jpeg(
            content, min_height=1, min_width=1, min_factor=2, strict=False
        ),
    }
    try:
        from torchvision.io import ImageReadMode, decode_jpeg
    except ImportError:
        pass
    else:

        def torchvisions(content: bytes) -> torch.Tensor:
            with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
                pixels = torch.frombuffer(bytearray(content), dtype=torch.uint8)
                return decode_jpeg(pixels, mode=ImageReadMode.RGB)

        found["torchvision.io.decode_jpeg"] = torchvisions
    try:
        from torchcodec.decoders import decode_image

        found["torchcodec decode_image"] = decode_image
    except (ImportError, RuntimeError, OSError):
        pass
    return found


def crops() -> dict[str, Callable[[bytes], object]]:
    def pillow(content: bytes) -> np.ndarray:
        image = Image.open(io.BytesIO(content)).convert("RGB")
        top, left, height, width = random_crop_box(*image.size, len(content))
        edges = (left, top, left + width, top + height)
        return np.asarray(image.resize((SIZE, SIZE), Image.Resampling.BILINEAR, edges))

    def crop(content: bytes) -> np.ndarray:
        return decode_crop(content, partial(random_crop_box, draws=len(content)), SIZE)

    return {"Pillow": pillow, "maxsup decode_crop": crop}


# ---------------------------------------------------------------------------------------- showing


def loaders_table(
    found: dict[str, list[tuple[float, ...]]], workers: Sequence[int], caption: str
) -> Table:
    table = Table(
        title=f"Loaders, at {SIZE} pixels", caption=caption, box=box.SIMPLE_HEAD,
        caption_justify="left",
    )  # fmt: skip
    table.add_column("loader")
    for column in ("workers", "images/s", "images/s and core", "ratio", "middle half"):
        table.add_column(column, justify="right", no_wrap=True)
    for number in workers:
        reference = [each[1] for each in found[f"{TIMM}|{number}"]]
        for key, values in found.items():
            name, _, its_workers = key.partition("|")
            if int(its_workers) != number:
                continue
            ratios = [each[1] / other for each, other in zip(values, reference, strict=True)]
            low, high = quartiles(ratios)
            table.add_row(
                name,
                its_workers,
                f"{statistics.median(each[0] for each in values):,.0f}",
                f"{statistics.median(each[1] for each in values):,.0f}",
                f"{statistics.median(ratios):.2f}",
                f"{low:.2f} to {high:.2f}",
            )
        table.add_section()
    return table


def times_table(title: str, found: dict[str, list[tuple[float, ...]]]) -> Table:
    table = Table(title=title, box=box.SIMPLE_HEAD)
    table.add_column("")
    for column in ("ms an image", "ratio", "middle half"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, values in found.items():
        ratios = [each[0] / other[0] for each, other in zip(values, found["Pillow"], strict=True)]
        low, high = quartiles(ratios)
        time_each = statistics.median(each[0] for each in values)
        table.add_row(
            name, f"{time_each:.2f}", f"{statistics.median(ratios):.2f}", f"{low:.2f} to {high:.2f}"
        )
    return table


def quartiles(ratios: list[float]) -> tuple[float, float]:
    if len(ratios) < 2:
        return ratios[0], ratios[0]
    low, _, high = statistics.quantiles(ratios, n=4)
    return low, high


# ---------------------------------------------------------------------------------------- running


def write_folder(photographs: Sequence[tuple[bytes, int]], folder: Path) -> None:
    for number, (content, label) in enumerate(photographs):
        place = folder / f"{label:04d}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number}.jpg").write_bytes(content)


def read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER_OR_PARQUET")
    parser.add_argument("--upscale", type=size_of, metavar="WIDTHxHEIGHT")
    parser.add_argument("--limit", type=int, default=640, help="photographs, evenly from all")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--sides", type=int, nargs="*", default=[256, 320], help="of the shards")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args(arguments)
    if options.rounds < 1 or options.limit < BATCH or min(options.workers) < 1:
        parser.error(f"there must be a round, {BATCH} photographs and a worker at least")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = read_options(arguments)
    torch.set_num_threads(1)  # one core is what is asked about, here as in the workers
    datasets.disable_progress_bars()
    photographs = load_photographs(options.data, options.limit, options.upscale)
    contents = [content for content, _ in photographs]
    with tempfile.TemporaryDirectory() as directory:
        originals = Path(directory) / "originals"
        write_folder(photographs, originals)
        shards = {side: Path(directory) / str(side) for side in options.sides}
        for side, folder in shards.items():
            prepare_shards(DataSettings(str(originals)), folder, shrink=ShrinkSettings(side))
        loaders: dict[str, Loader] = {}
        for workers in options.workers:
            loaders[f"{TIMM}|{workers}"] = timms(originals, workers)
            loaders[f"maxsup, original files|{workers}"] = from_files(originals, workers)
            for side, folder in shards.items():
                name = f"maxsup, prepared with short side {side}"
                loaders[f"{name}|{workers}"] = from_shards(folder, workers)
        print(f"measuring {len(loaders)} loaders ...", file=sys.stderr)
        found = in_rounds({n: partial(speeds, each) for n, each in loaders.items()}, options.rounds)
        loaders.clear()
    caption = (
        f"{described(photographs, options.upscale)}.\n"
        "ratio: images per second and core by timm's with as many workers.\n"
        f"{os.cpu_count()} cores, torch {torch.__version__}"
    )
    tables = [loaders_table(found, options.workers, caption)]
    for title, contestants in (
        ("Decoders alone", decoders()),
        ("From a file's content to a crop", crops()),
    ):
        times = in_rounds(
            {name: partial(milliseconds, each, contents) for name, each in contestants.items()},
            options.rounds,
        )
        tables.append(times_table(title, times))
    # In a file there is no width to ask for; the tables need this much.
    console = Console() if sys.stdout.isatty() else Console(width=110)
    for table in tables:
        console.print(table)


if __name__ == "__main__":
    main()
