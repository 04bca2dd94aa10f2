"""What batches of images with masks cost, beside a step of training on them.

    python benchmarks/masks.py DATA [--crop 180 240] [--batch-size 8] [--rounds 3] [--json FILE]

In one process with one thread, in turn: an epoch of maxsup's batches (random factor, crop and
mirror; then with colours changed and crops of one class avoided), the same by torchvision's
transforms of single images, and steps of a backbone of timm without any head, forwards and
backwards, on as many batches. Images are decoded once before, for all. Times are of the processor,
for a batch; a GPU does the augmentation itself.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import timm
import torch
from rich import box
from rich.console import Console
from rich.table import Table
from torchvision import tv_tensors
from torchvision.transforms import v2

from maxsup.data import DataSettings, Normalization
from maxsup.data.masks import VOID, MaskBatchSettings, MaskSplit, load_masks

PLAIN, COLORS = "factor, crop, mirror", "and colours, varied crops"


def ours(split: MaskSplit, options: argparse.Namespace, *, colors: bool) -> Callable[[], object]:
    settings = MaskBatchSettings(
        options.batch_size,
        seed=0,
        normalization=Normalization.of(split),
        crop=tuple(options.crop),
        photometric_distortion=colors,
        cat_max_ratio=0.75 if colors else 1.0,
    )
    batches = split.training_batches(settings)
    return lambda: [labels.shape for _, labels in batches.epoch(0)]


def torchvisions(
    split: MaskSplit, options: argparse.Namespace, *, colors: bool
) -> Callable[[], object]:
    """Image by image, as its reference scripts for segmentation do it."""
    crop = tuple(options.crop)
    mean, std = Normalization.of(split).mean, Normalization.of(split).std
    change = v2.Compose(
        [
            v2.ScaleJitter(crop, scale_range=(0.5, 2.0), antialias=False),
            v2.RandomCrop(crop, pad_if_needed=True, fill={tv_tensors.Mask: VOID, "others": 0}),
            v2.RandomHorizontalFlip(),
            *([v2.RandomPhotometricDistort(p=1.0)] if colors else []),
            v2.ToDtype({tv_tensors.Image: torch.float32, "others": None}, scale=True),
            v2.Normalize(mean, std),
        ]
    )

    def epoch() -> None:
        order = torch.randperm(len(split))[: len(split) // options.batch_size * options.batch_size]
        for index in order.split(options.batch_size):
            items = [split.item(int(each)) for each in index]
            changed = [change(tv_tensors.Image(i), tv_tensors.Mask(m)) for i, m in items]
            torch.stack([image for image, _ in changed])
            torch.stack([mask for _, mask in changed]).long()

    return epoch


def steps(options: argparse.Namespace) -> Callable[[], object]:
    """One step of the backbone."""
    model = timm.create_model(options.backbone, features_only=True).train()
    images = torch.randn(options.batch_size, 3, *options.crop)
    return lambda: sum(level.mean() for level in model(images)).backward()


def measure(options: argparse.Namespace) -> dict[str, float]:
    """Milliseconds of the processor for a batch, by contestant."""
    split = load_masks(DataSettings(options.data)).train
    batches = len(split) // options.batch_size
    calls: dict[str, tuple[Callable[[], object], int]] = {
        f"maxsup: {PLAIN}": (ours(split, options, colors=False), batches),
        f"maxsup: {COLORS}": (ours(split, options, colors=True), batches),
        f"torchvision: {PLAIN}": (torchvisions(split, options, colors=False), batches),
        f"torchvision: {PLAIN}, colours": (torchvisions(split, options, colors=True), batches),
        f"a step of {options.backbone}": (steps(options), 1),
    }
    took: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(options.rounds + 1):
        for name, (call, count) in calls.items():
            start = time.process_time()
            call()
            if number:  # the first decodes the images, and warms up
                took[name].append(1000 * (time.process_time() - start) / count)
    return {name: statistics.median(each) for name, each in took.items()}


def read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data")
    parser.add_argument("--crop", type=int, nargs=2, default=[180, 240])
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--backbone", default="mobilenetv3_small_100")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    options = read_options(arguments)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        found = measure(options)
    finally:
        torch.set_num_threads(threads)
    title = f"{options.batch_size} images, crops of {options.crop[0]}×{options.crop[1]}, one core"
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left")
    table.add_column("for a batch")
    table.add_column("time", justify="right")
    for name, milliseconds in found.items():
        table.add_row(name, f"{milliseconds:.1f} ms")
    Console(width=100).print(table)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
