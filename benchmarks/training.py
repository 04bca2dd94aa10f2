"""Images per second of whole training, data included, beside a bare PyTorch loop and timm's.

All train the same model from the same weights, in one process, in turn and in another order each
round; a ratio is the median over the rounds of a loop's speed by the bare loop's of the same round.

    python benchmarks/training.py [--data path/to/cifar100] [--images 1280] [--rounds 5]
    python benchmarks/training.py --photographs FOLDER_OR_PARQUET [--images 256] [--size 128]

Small images live in memory. The bare loop there is as short as such a loop can be: no augmentation,
no figures, no checks.

Photographs are read from files, cropped at random and mirrored. There the bare loop is what one
would write with torch and torchvision; another reads by maxsup's loader, which tells what
maxsup's training adds to it; and timm's is its training script's, put together from timm's own
loader, loss and optimiser, as the script itself does not come with the package. With them stands
the share of the time that maxsup's training waits for data.
"""

import argparse
import dataclasses
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from loader import write_folder
from maxsup.data import DataSettings, ImageData, ResidentSplit
from maxsup.models import create_model
from maxsup.recipes import Recipe, get_recipe
from maxsup.training import Position, ProgressReport, RunSettings, build_accelerator, load_data
from maxsup.training._epoch import train_epoch
from maxsup.training._setup import set_up
from photographs import described, load_photographs, size_of

BARE = "bare PyTorch"
LR = 0.01  # of all loops


# --------------------------------------------------------------------------------------- the loops


def train_bare(
    model: nn.Module, batches: Iterable[tuple[Tensor, Tensor]], recipe: Recipe, device: torch.device
) -> float:
    """Images/s of the shortest loop that trains a model on float images."""
    optimizer = torch.optim.SGD(
        model.parameters(), lr=LR, momentum=0.9, nesterov=True, weight_decay=5e-4
    )
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    bf16 = recipe.precision == "bf16"
    model.train()
    start = time.perf_counter()
    seen = 0
    for images, labels in batches:
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            logits: Tensor = model(images.to(device, non_blocking=True))
        loss = criterion(logits.float(), labels.to(device, non_blocking=True))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        seen += len(images)
    if device.type == "cuda":
        torch.cuda.synchronize()
    return seen / (time.perf_counter() - start)


def train_timm(
    model: nn.Module, batches: Iterable[tuple[Tensor, Tensor]], recipe: Recipe, device: torch.device
) -> float:
    """Images/s of the loop of timm's training script, with the script's defaults."""
    from timm.loss import LabelSmoothingCrossEntropy
    from timm.optim import create_optimizer_v2
    from timm.utils import AverageMeter

    optimizer = create_optimizer_v2(model, opt="sgd", lr=LR, momentum=0.9, weight_decay=5e-4)
    criterion = LabelSmoothingCrossEntropy(0.1)
    losses = AverageMeter()
    log_interval = 50
    bf16 = recipe.precision == "bf16"
    model.train()
    start = time.perf_counter()
    seen = 0
    for number, (images, labels) in enumerate(batches):
        images, labels = images.to(device), labels.to(device)
        if recipe.channels_last:
            images = images.contiguous(memory_format=torch.channels_last)
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if number % log_interval == 0:
            losses.update(loss.item(), len(images))
        seen += len(images)
    if device.type == "cuda":
        torch.cuda.synchronize()
    return seen / (time.perf_counter() - start)


class Timed:
    """Batches, with the seconds that were spent waiting for them."""

    def __init__(self, batches: Iterator[tuple[Tensor, Tensor]]) -> None:
        self._batches = batches
        self.seconds = 0.0

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            start = time.perf_counter()
            batch = next(self._batches, None)
            self.seconds += time.perf_counter() - start
            if batch is None:
                return
            yield batch


def maxsup_loop(
    method: str, recipe: Recipe, data: ImageData, data_settings: DataSettings
) -> Callable[[], tuple[float, float]]:
    """Images/s of an epoch of maxsup's training, and the share of it spent waiting for data."""
    accelerator = build_accelerator(recipe)
    settings = RunSettings(method, 0, recipe, data_settings)
    setup = set_up(settings, data, accelerator)
    progress = ProgressReport(Console(quiet=True), recipe.epochs, quiet=True)
    read = setup.batches.epoch

    def run() -> tuple[float, float]:
        waiting: list[Timed] = []

        def timed(epoch: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
            waiting.append(Timed(read(epoch, start)))
            return iter(waiting[0])

        setup.batches.epoch = timed  # type: ignore[method-assign]
        row = train_epoch(
            Position(data.fingerprint),
            setup,
            accelerator,
            settings,
            progress,
            save=lambda position: None,
            check=lambda: None,
        )
        return row["images_per_second"], waiting[0].seconds / row["seconds"]

    return run


# ------------------------------------------------------------------------------------ small images


def synthetic(images: int, side: int = 32, classes: int = 100) -> ImageData:
    """Random pixels, by default of CIFAR-100's shape."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (images, 3, side, side), generator=generator, dtype=torch.uint8)
    labels = torch.arange(images) % classes
    part = ResidentSplit(pixels, labels, labels)
    small = ResidentSplit(pixels[:100], labels[:100], labels[:100])
    return ImageData(
        name="random pixels",
        classes=tuple(str(k) for k in range(classes)),
        train=part,
        validation=None,
        test=small,
    )


def first(data: ImageData, images: int) -> ImageData:
    """The first images of each part: a benchmark needs no more."""
    train = data.train.select(torch.arange(min(images, len(data.train))))
    return dataclasses.replace(data, train=train, test=data.test.select(torch.arange(100)))


def on_small_images(options: argparse.Namespace) -> tuple[str, dict[str, Callable]]:
    recipe = dataclasses.replace(
        get_recipe("cifar100-resnet18"),
        epochs=1,
        lr=LR,
        batch_size=options.batch_size or 128,
        precision=options.precision,
        channels_last=options.channels_last,
        compile=options.compile,
    )
    if options.model:
        recipe = dataclasses.replace(recipe, model=options.model, small_stem=False)
    settings = DataSettings(name=options.data or "digits")
    data = (
        first(load_data(settings, recipe), options.images)
        if options.data
        else synthetic(options.images)
    )
    device = build_accelerator(recipe).device
    layout = torch.channels_last if recipe.channels_last else torch.contiguous_format
    images = data.train.images.to(device).float().div(255).sub(0.5).div(0.25)
    images, labels = images.contiguous(memory_format=layout), data.train.labels.to(device)

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        for index in torch.randperm(len(images)).split(recipe.batch_size):
            if len(index) == recipe.batch_size:
                yield images[index], labels[index]

    model = build(recipe, len(data.classes), device)
    contestants = {
        BARE: lambda: (train_bare(model, batches(), recipe, device),),
        "maxsup's training": maxsup_loop("maxsup", recipe, data, settings),
    }
    shape = "×".join(map(str, data.image_shape))
    title = f"{recipe.model}, {shape}, batch {recipe.batch_size}, {recipe.precision}, {device.type}"
    return f"{title} ({data.name})", contestants


def build(recipe: Recipe, num_classes: int, device: torch.device) -> nn.Module:
    torch.manual_seed(0)
    model = create_model(recipe.model, num_classes=num_classes, small_stem=recipe.small_stem)
    model = model.to(device)
    if recipe.channels_last:
        model = model.to(memory_format=torch.channels_last)
    if recipe.compile:
        model.compile()
    return model


# ------------------------------------------------------------------------------------- photographs


def on_photographs(options: argparse.Namespace, directory: Path) -> tuple[str, dict[str, Callable]]:
    files = load_photographs(options.photographs, options.images, options.upscale)
    # All in a few classes: files are what is read, and every part of them must have every class.
    labelled = [(content, number % 10) for number, (content, _) in enumerate(files)]
    write_folder(labelled, directory / "train")
    write_folder(labelled[:40], directory / "test")
    recipe = Recipe(
        name="benchmark",
        model=options.model or "resnet18",
        image_size=options.size,
        random_resized_crop=True,
        flip=True,
        epochs=1,
        lr=LR,
        nesterov=True,
        lr_schedule="constant",
        batch_size=options.batch_size or 32,
        precision=options.precision,
        channels_last=options.channels_last,
        compile=options.compile,
        workers=options.workers,
    )
    settings = DataSettings(str(directory))
    data = load_data(settings, recipe)
    accelerator = build_accelerator(recipe)
    device = accelerator.device
    ours = set_up(RunSettings("label-smoothing", 0, recipe, settings), data, accelerator).batches
    torchvisions = torchvision_loader(directory / "train", recipe)
    timms = timm_loader(directory / "train", recipe, device)
    models = {name: build(recipe, len(data.classes), device) for name in ("a", "b", "c")}
    contestants = {
        BARE: lambda: (train_bare(models["a"], torchvisions, recipe, device),),
        f"{BARE} with maxsup's loader": lambda: (
            train_bare(models["b"], ours.epoch(0), recipe, device),
        ),
        "timm's training script": lambda: (train_timm(models["c"], timms, recipe, device),),
        "maxsup's training, label smoothing": maxsup_loop(
            "label-smoothing", recipe, data, settings
        ),
        "maxsup's training, MaxSup": maxsup_loop("maxsup", recipe, data, settings),
    }
    title = (
        f"{recipe.model}, {options.size} pixels, batch {recipe.batch_size}, {recipe.precision}, "
        f"{device.type}, {options.workers} workers\n{described(files, options.upscale)}"
    )
    return title, contestants


def torchvision_loader(folder: Path, recipe: Recipe) -> Iterable[tuple[Tensor, Tensor]]:
    from torchvision import transforms
    from torchvision.datasets import ImageFolder

    steps = [
        transforms.RandomResizedCrop(recipe.image_size),
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
        transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    ]
    return torch.utils.data.DataLoader(
        ImageFolder(folder, transforms.Compose(steps)),
        recipe.batch_size,
        shuffle=True,
        drop_last=True,
        num_workers=recipe.workers or 0,
        persistent_workers=bool(recipe.workers),
        pin_memory=torch.cuda.is_available(),
    )


def timm_loader(
    folder: Path, recipe: Recipe, device: torch.device
) -> Iterable[tuple[Tensor, Tensor]]:
    from timm.data import ImageDataset, create_loader

    return create_loader(
        ImageDataset(str(folder)),
        (3, recipe.image_size, recipe.image_size),
        recipe.batch_size,
        is_training=True,
        color_jitter=None,
        interpolation="bilinear",
        num_workers=recipe.workers or 0,
        persistent_workers=bool(recipe.workers),
        device=device,
    )


# ---------------------------------------------------------------------------------------- measuring


def in_rounds(
    contestants: dict[str, Callable[[], Sequence[float]]], rounds: int
) -> dict[str, list[Sequence[float]]]:
    """Each contestant's numbers, one tuple a round, after a round to warm up."""
    order, shuffle = list(contestants), random.Random(0)
    for name in order:
        contestants[name]()
    found: dict[str, list[Sequence[float]]] = {name: [] for name in order}
    for _ in range(rounds):
        shuffle.shuffle(order)
        for name in order:
            found[name].append(contestants[name]())
    return found


def table(title: str, found: dict[str, list[Sequence[float]]]) -> Table:
    drawn = Table(title=title)
    for column in ("loop", "images/s", "ratio", "least", "most", "waiting for data"):
        drawn.add_column(column)
    bare = [each[0] for each in found[BARE]]
    for name, rounds in found.items():
        ratios = [each[0] / base for each, base in zip(rounds, bare, strict=True)]
        waits = [each[1] for each in rounds if len(each) > 1]
        drawn.add_row(
            name,
            f"{statistics.median(each[0] for each in rounds):,.1f}",
            f"{statistics.median(ratios):.3f}",
            f"{min(ratios):.3f}",
            f"{max(ratios):.3f}",
            f"{100 * statistics.median(waits):.1f} %" if waits else "",
        )
    return drawn


def read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="a folder with CIFAR-100; random pixels without it")
    parser.add_argument("--photographs", type=Path, help="a folder or Parquet file of photographs")
    parser.add_argument("--upscale", type=size_of, help="enlarge them first, 500x375 for example")
    parser.add_argument("--images", type=int, default=1280, help="images in an epoch")
    parser.add_argument("--rounds", type=int, default=5, help="epochs of each loop")
    parser.add_argument("--model", help="a timm model in place of ResNet-18")
    parser.add_argument("--size", type=int, default=128, help="side of photographs' crops")
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--workers", type=int, default=1, help="processes that read photographs")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--compile", action="store_true", help="compile the model, in all loops")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    options = read_options(arguments)
    with tempfile.TemporaryDirectory() as directory:
        if options.photographs:
            title, contestants = on_photographs(options, Path(directory))
        else:
            title, contestants = on_small_images(options)
        print(f"measuring {len(contestants)} loops ...", file=sys.stderr)
        found = in_rounds(contestants, options.rounds)
        contestants.clear()
    console = Console() if sys.stdout.isatty() else Console(width=110)
    console.print(table(title, found))


if __name__ == "__main__":
    main()
