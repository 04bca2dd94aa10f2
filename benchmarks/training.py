"""Images per second of the training loop, against a bare PyTorch loop.

Both train the same model, from the same weights, on the same resident tensors, in one process, in
turn; the bare loop is as short as such a loop can be: no augmentation, no figures, no checks. What
is compared is the training itself; loading, measuring and saving are outside of the clock in both.

    python benchmarks/training.py [--data path/to/cifar100] [--images 1280] [--rounds 5]
"""

import argparse
import dataclasses
import statistics
import tempfile
import time
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from maxsup.data import DataSettings, ImageData, Split, load_images
from maxsup.models import create_model
from maxsup.recipes import Recipe, get_recipe
from maxsup.training import ProgressReport, RunSettings, build_accelerator, train


def synthetic(images: int) -> ImageData:
    """Random pixels of CIFAR-100's shape."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (images, 3, 32, 32), generator=generator, dtype=torch.uint8)
    labels = torch.arange(images) % 100
    part = Split(pixels, labels, labels)
    small = Split(pixels[:100], labels[:100], labels[:100])
    return ImageData(
        name="random pixels",
        classes=tuple(str(k) for k in range(100)),
        train=part,
        validation=None,
        test=small,
    )


def first(data: ImageData, images: int) -> ImageData:
    """The first images of each part: a benchmark needs no more."""

    def cut(part: Split, count: int) -> Split:
        return Split(part.images[:count], part.labels[:count], part.true_labels[:count])

    return dataclasses.replace(data, train=cut(data.train, images), test=cut(data.test, 100))


def bare_speed(recipe: Recipe, data: ImageData, device: torch.device) -> float:
    """Images/s of the shortest loop that trains the model."""
    torch.manual_seed(0)
    model: nn.Module = create_model(
        recipe.model, num_classes=len(data.classes), small_stem=recipe.small_stem
    ).to(device)
    images = data.train.images.to(device).float().div(255).sub(0.5).div(0.25)
    labels = data.train.labels.to(device)
    if recipe.channels_last:
        model = model.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(
        model.parameters(), lr=recipe.lr, momentum=0.9, nesterov=True, weight_decay=5e-4
    )
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    bf16 = recipe.precision == "bf16"
    model.train()
    start = time.perf_counter()
    seen = 0
    for index in torch.randperm(len(images)).split(recipe.batch_size):
        if len(index) < recipe.batch_size:
            break
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            logits: Tensor = model(images[index])
        loss = criterion(logits.float(), labels[index])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        seen += len(index)
    if device.type == "cuda":
        torch.cuda.synchronize()
    return seen / (time.perf_counter() - start)


def maxsup_speed(recipe: Recipe, data: ImageData, data_settings: DataSettings) -> float:
    """Images/s of one epoch of ``maxsup.training.train``, augmentation included."""
    settings = RunSettings("maxsup", 0, recipe, data_settings)
    accelerator = build_accelerator(recipe)
    with (
        tempfile.TemporaryDirectory() as directory,
        ProgressReport(Console(quiet=True), recipe.epochs, quiet=True) as progress,
    ):
        result = train(settings, data, Path(directory), accelerator=accelerator, progress=progress)
    accelerator.free_memory()
    return result.history[0]["images_per_second"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="a folder with CIFAR-100; random pixels without it")
    parser.add_argument("--images", type=int, default=1280, help="images in an epoch")
    parser.add_argument("--rounds", type=int, default=5, help="epochs of each loop")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--channels-last", action="store_true")
    options = parser.parse_args()

    recipe = dataclasses.replace(
        get_recipe("cifar100-resnet18"),
        epochs=1,
        precision=options.precision,
        channels_last=options.channels_last,
    )
    data_settings = DataSettings(name=options.data or "digits", image_size=32)
    data = (
        first(load_images(data_settings, prefer_label=recipe.label_column), options.images)
        if options.data
        else synthetic(options.images)
    )
    device = build_accelerator(recipe).device
    bare, ours = [], []
    for round_ in range(options.rounds + 1):  # the first one warms up
        pair = (bare_speed(recipe, data, device), maxsup_speed(recipe, data, data_settings))
        if round_ > 0:
            bare.append(pair[0])
            ours.append(pair[1])
    ratios = [b / a for a, b in zip(bare, ours, strict=True)]

    table = Table(
        title=f"{recipe.model}, {tuple(data.train.images.shape[1:])}, batch {recipe.batch_size}, "
        f"{recipe.precision}, {device.type} ({data.name})"
    )
    for column in ("loop", "images/s (median)", "ratio to bare (median)", "min", "max"):
        table.add_column(column)
    table.add_row("bare PyTorch", f"{statistics.median(bare):,.1f}", "1", "", "")
    table.add_row(
        "maxsup.training",
        f"{statistics.median(ours):,.1f}",
        f"{statistics.median(ratios):.3f}",
        f"{min(ratios):.3f}",
        f"{max(ratios):.3f}",
    )
    Console().print(table)


if __name__ == "__main__":
    main()
