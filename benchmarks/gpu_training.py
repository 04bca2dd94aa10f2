"""Images per second of maxsup's training on a GPU, against the shortest loop with the same model.

Both have all of their images in the GPU's memory. The bare loop takes them as they are, in
floating point; maxsup's crops, mirrors and normalises them. Two further bare loops show what it
costs to fetch each batch from the machine's memory, pinned or not. Model and batch are the same in
all, with bf16, channels last and ``torch.compile``, unless a line says otherwise.
"""

import contextlib
import dataclasses
import gc
import json
import random
import socket
import statistics
import tempfile
import warnings
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import torch
from rich import box
from rich.table import Table
from timm.layers import convert_sync_batchnorm
from torch import Tensor, distributed, multiprocessing, nn

import training
from gpu_record import OutOfTime, Record, Row, described
from maxsup.data import DataSettings, ImageData, ResidentBatches
from maxsup.models import create_model
from maxsup.recipes import Recipe, get_recipe

SETTINGS = DataSettings("digits")  # goes into the seeds alone: the data is given
OURS = "maxsup's training"
ROUNDS = 4
SECONDS = 30.0  # that a loop may take with its compilation


@dataclasses.dataclass(frozen=True)
class Workload:
    """A model and its batches, in as many steps as make a second or so."""

    name: str
    recipe: Recipe
    side: int
    classes: int
    steps: int

    @property
    def images(self) -> int:
        return self.steps * self.recipe.batch_size


def fast(recipe: Recipe, **changes: object) -> Recipe:
    return recipe.adapted(
        epochs=1,
        lr=training.LR,
        lr_schedule="constant",
        precision="bf16",
        channels_last=True,
        compile=True,
        deterministic=False,
        **changes,
    )


def workloads(*, smoke: bool, compiled: bool) -> list[Workload]:
    cifar = fast(get_recipe("cifar100-resnet18"))
    large = Recipe(name="synthetic", model="resnet50", flip=True)
    found = [
        Workload("ResNet-18, 32×32, batch 128", cifar, 32, 100, 200),
        Workload("ResNet-18, 32×32, batch 1,024", fast(cifar, batch_size=1024), 32, 100, 40),
        Workload("ResNet-50, 224×224, batch 256", fast(large, batch_size=256), 224, 1000, 12),
    ]
    if smoke:
        small = dataclasses.replace(cifar, model="test_resnet", small_stem=False, batch_size=16)
        found = [Workload("test_resnet, 32×32, batch 16", small, 32, 10, 8)]
    if not compiled:
        found = [
            dataclasses.replace(each, recipe=dataclasses.replace(each.recipe, compile=False))
            for each in found
        ]
    return found


def measure(record: Record, *, smoke: bool, compiled: bool) -> None:
    record.measure("synchronised batch-norm", partial(synchronised_batch_norm, record.device))
    for workload in workloads(smoke=smoke, compiled=compiled):
        rounds = 1 if smoke else ROUNDS
        needed = 0 if smoke else SECONDS
        record.measure(workload.name, partial(speeds, workload, record, rounds), needed=needed)


# ------------------------------------------------------------------------------------------ speeds


def speeds(workload: Workload, record: Record, rounds: int) -> Row:
    """Images/s of each loop, a number a round; fewer rounds or loops where time is short."""
    device = record.device
    torch.compiler.reset()  # or what one workload has compiled counts against the next one's limit
    data = training.synthetic(workload.images, workload.side, workload.classes)
    loops = loops_of(workload, data, device)
    running: dict[str, Callable[[], float]] = {}
    found: dict[str, list[float]] = {}
    skipped: dict[str, str] = {}
    for name, build in loops.items():
        if running and record.left < SECONDS and rounds > 1:
            skipped[name] = "no time was left"
            continue
        try:
            running[name] = build()
            running[name]()
        except Exception as error:
            running.pop(name, None)
            skipped[name] = f"{type(error).__name__}: {error}".splitlines()[0][:200]
    order, shuffle = list(running), random.Random(0)
    for number in range(rounds):
        if number and record.left < 5:
            break
        shuffle.shuffle(order)
        for name in order:
            found.setdefault(name, []).append(running[name]())
    running.clear()
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    if not found:
        raise OutOfTime
    in_order = {name: found[name] for name in loops if name in found}
    return {"images_per_second": in_order, "skipped": skipped}


def loops_of(
    workload: Workload, data: ImageData, device: torch.device
) -> dict[str, Callable[[], Callable[[], float]]]:
    """What builds each loop; a loop makes a pass over the images."""
    recipe = workload.recipe
    found = {
        training.BARE: lambda: bare(recipe, data, device, source="device"),
        OURS: lambda: ours(recipe, data),
    }
    if workload.side == 32 and recipe.batch_size <= 128:
        exact = dataclasses.replace(recipe, deterministic=True)
        found[f"{OURS}, deterministic"] = lambda: ours(exact, data)
        found[f"{OURS}, deterministic, not compiled"] = lambda: ours(
            dataclasses.replace(exact, compile=False), data
        )
        found[f"{OURS}, its draws in pinned memory"] = lambda: ours(recipe, data, pin=True)
    else:
        for source in ("pinned memory", "pageable memory"):
            found[f"{training.BARE}, from {source}"] = partial(
                bare, recipe, data, device, source=source
            )
    return found


def bare(
    recipe: Recipe, data: ImageData, device: torch.device, *, source: str
) -> Callable[[], float]:
    """The shortest loop, with its images on the device, or fetched batch by batch as uint8."""
    model = training.build(recipe, len(data.classes), device)
    layout = torch.channels_last if recipe.channels_last else torch.contiguous_format
    pixels = data.train.images.contiguous(memory_format=layout)
    size = recipe.batch_size

    def normalised(images: Tensor) -> Tensor:
        return images.float().div_(255).sub_(0.5).div_(0.25)

    labels = data.train.labels.to(device)
    if source == "device":
        parts = [normalised(part.to(device)) for part in pixels.split(size)]
        images = torch.cat(parts).contiguous(memory_format=layout)
        del parts
    elif source == "pinned memory" and device.type == "cuda":
        pixels = pixels.pin_memory()

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        if source == "device":
            order = torch.randperm(len(images), device=device)
            for index in order.split(size):
                yield images[index], labels[index]
        else:
            for part, target in zip(pixels.split(size), labels.split(size), strict=True):
                yield normalised(part.to(device, non_blocking=True)), target

    def run() -> float:
        with deterministic(recipe.deterministic, device):
            return training.train_bare(model, batches(), recipe, device)

    return run


def ours(recipe: Recipe, data: ImageData, *, pin: bool = False) -> Callable[[], float]:
    with pinned_draws(pin):
        loop = training.maxsup_loop("maxsup", recipe, data, SETTINGS)

    def run() -> float:
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        with deterministic(recipe.deterministic, device), pinned_draws(pin):
            return loop()[0]

    return run


@contextlib.contextmanager
def deterministic(on: bool, device: torch.device) -> Iterator[None]:
    """torch's switches as :func:`maxsup.training.build_accelerator` sets them for a recipe."""
    if device.type != "cuda":
        yield
        return
    before = torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark
    torch.use_deterministic_algorithms(on, warn_only=True)
    torch.backends.cudnn.benchmark = not on
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=True)
        torch.backends.cudnn.benchmark = before[1]


@contextlib.contextmanager
def pinned_draws(on: bool) -> Iterator[None]:
    """Have maxsup's random numbers of a batch go to the device from pinned memory."""
    if not on or not torch.cuda.is_available():
        yield
        return
    draw = ResidentBatches._draws

    def pinned(self: ResidentBatches, epoch: int) -> Iterator[object]:
        for draws in draw(self, epoch):
            yield type(draws)(*(part.pin_memory() for part in draws))

    ResidentBatches._draws = pinned  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        ResidentBatches._draws = draw  # type: ignore[method-assign]


# ------------------------------------------------------------------------ synchronised batch-norm


def synchronised_batch_norm(device: torch.device) -> Row:
    """How far a synchronised model is from the plain one, with one process and with two.

    With one process through NCCL, as a training's. Two share the card through Gloo, for NCCL wants
    a card for each: they have half of the batch each, and the plain model all of it.
    """
    if device.type != "cuda":
        return {"skipped": "torch has no synchronised batch-norm for CPUs"}
    found: Row = {}
    for backend, processes in (("nccl", 1), ("gloo", 2)):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with tempfile.TemporaryDirectory() as directory:
            errors = Path(directory) / "errors.json"
            multiprocessing.spawn(
                one_of_several, (processes, backend, port, errors), nprocs=processes
            )
            found[f"{backend}, {processes}"] = json.loads(errors.read_text())
    return found


def one_of_several(rank: int, processes: int, backend: str, port: int, errors: Path) -> None:
    """One process of a synchronised step; the first one writes the errors of its gradients."""
    device = torch.device("cuda")
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(32, 3, 32, 32, generator=generator).to(device)
    labels = torch.randint(10, (32,), generator=generator).to(device)
    loss_of = nn.CrossEntropyLoss()

    def model() -> nn.Module:
        torch.manual_seed(0)
        return create_model("resnet18", num_classes=10, small_stem=True).to(device)

    plain = model()
    loss_of(plain(images), labels).backward()
    distributed.init_process_group(
        backend,
        init_method=f"tcp://127.0.0.1:{port}",
        rank=rank,
        world_size=processes,
        timeout=timedelta(seconds=40),
    )
    try:
        # One process alone would be given its model as it is.
        converted = convert_sync_batchnorm(model())
        kinds = {type(module).__name__ for module in converted.modules()}
        assert "BatchNorm2d" not in kinds, kinds
        wrapped = nn.parallel.DistributedDataParallel(converted, device_ids=[0])
        part = slice(rank * 32 // processes, (rank + 1) * 32 // processes)
        loss_of(wrapped(images[part]), labels[part]).backward()
        torch.cuda.synchronize()
    finally:
        distributed.destroy_process_group()
    if rank == 0:
        pairs = zip(converted.parameters(), plain.parameters(), strict=True)
        gradients = [((a.grad - b.grad).norm() / b.grad.norm()).item() for a, b in pairs]
        buffers = [
            (a.float() - b.float()).abs().max().item()
            for a, b in zip(converted.buffers(), plain.buffers(), strict=True)
        ]
        found = {"gradients": max(gradients), "running statistics": max(buffers)}
        errors.write_text(json.dumps(found))


# ---------------------------------------------------------------------------------------- showing


def tables(content: Row) -> Iterator[Table]:
    table = Table(
        title=f"Training steps, bf16, channels last, compiled: {described(content['setting'])}",
        caption="ratio: images/s by the bare loop's, median of the rounds.",
        box=box.SIMPLE_HEAD,
        caption_justify="left",
    )
    table.add_column("loop")
    for column in ("images/s", "ratio", "least", "most"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, row in content["rows"].items():
        table.add_row(f"[bold]{name}[/bold]")
        if "images_per_second" not in row:
            for what, value in row.items():
                if what != "took":
                    table.add_row(f"  {what}: {value}")
            continue
        speeds_found = row["images_per_second"]
        base = speeds_found.get(training.BARE)
        for loop, values in speeds_found.items():
            ratios = [a / b for a, b in zip(values, base, strict=False)] if base else []
            table.add_row(
                f"  {loop}",
                f"{statistics.median(values):,.0f}",
                *(f"{f(ratios):.3f}" if ratios else "" for f in (statistics.median, min, max)),
            )
        for loop, reason in row["skipped"].items():
            table.add_row(f"  {loop}: {reason}")
        table.add_section()
    yield table
