"""What it costs to record the mechanism of every training step.

    python benchmarks/mechanism.py [--rounds 40] [--steps 20] [--device cpu] [--json cost.json]

The same training steps, on the same batches, with what is recorded and with the mere count of right
predictions that there would be without it: in one process, in turn and in another order each round.
A ratio is the time of a round's steps with it by those without; the median of the rounds is shown
with their middle half. Of a GPU, a round is over when all its steps are. At most 1.01 is promised.
"""

import argparse
import dataclasses
import itertools
import json
import random
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from accelerate import Accelerator
from rich import box
from rich.console import Console
from rich.table import Table
from torch import Tensor

from maxsup.data import DataSettings, ImageData, ResidentSplit
from maxsup.recipes import Recipe, get_recipe
from maxsup.training import RunSettings, _classification
from maxsup.training._mechanism import SUMS, Seen, look_at
from maxsup.training._setup import set_up
from maxsup.training._step import train_step

CASES = ("digits", "32×32, 100 classes", "32×32, 1,000 classes")


def count_alone(logits: Tensor, target: Tensor) -> Seen:
    """What a training needs anyway."""
    labels = target.argmax(dim=1) if target.is_floating_point() else target
    correct = (logits.argmax(dim=1) == labels).sum()
    counted = torch.full_like(correct, len(labels))
    return Seen(correct, counted, torch.zeros(SUMS, device=logits.device))


def case(name: str) -> tuple[Recipe, ImageData]:
    """A recipe, and random pixels to train on with it."""
    channels, side, classes = {
        CASES[0]: (1, 8, 10),
        CASES[1]: (3, 32, 100),
        CASES[2]: (3, 32, 1000),
    }[name]
    recipe = get_recipe("digits" if name == "digits" else "cifar100-resnet18")
    generator = torch.Generator().manual_seed(0)
    shape = (2048, channels, side, side)
    pixels = torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)
    labels = torch.arange(len(pixels)) % classes
    part = ResidentSplit(pixels, labels, labels)
    names = tuple(map(str, range(classes)))
    return dataclasses.replace(recipe, epochs=10_000), ImageData(name, names, part, None, part)


def steps_of(name: str, steps: int, accelerator: Accelerator) -> Callable[[], float]:
    """Seconds of so many training steps, each time the next ones."""
    recipe, data = case(name)
    settings = RunSettings("label-smoothing", 0, recipe, DataSettings("digits"))
    setup = set_up(settings, data, accelerator)
    setup.wrapped.train()
    batches = list(itertools.islice(setup.batches.epoch(0), steps))
    numbers = itertools.count(1)

    def run() -> float:
        start = time.perf_counter()
        total = torch.zeros((), dtype=torch.float64, device=accelerator.device)
        for images, target in itertools.islice(itertools.cycle(batches), steps):
            sums = train_step(setup, accelerator, settings, 0, next(numbers), images, target)
            total += sums.loss
        total.item()  # waits for the device
        return time.perf_counter() - start

    return run


def measure(name: str, steps: int, rounds: int, accelerator: Accelerator) -> dict[str, object]:
    """One row of the table."""
    run = steps_of(name, steps, accelerator)
    looks = [look_at, count_alone]
    shuffle = random.Random(0)
    ratios, seconds = [], []
    for number in range(rounds + 1):
        shuffle.shuffle(looks)
        took = {}
        for look in looks:
            _classification.look_at = look  # type: ignore[attr-defined]
            took[look] = run()
        if number:  # the first warms up
            ratios.append(took[look_at] / took[count_alone])
            seconds.append(took[count_alone] / steps)
    _classification.look_at = look_at  # type: ignore[attr-defined]
    low, middle, high = statistics.quantiles(ratios, n=4) if rounds > 1 else ratios * 3
    return {
        "case": name,
        "ratio": middle,
        "middle_half": [low, high],
        "milliseconds": 1000 * statistics.median(seconds),
    }


def read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--steps", type=int, default=20, help="training steps in a round")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--device", choices=("cpu", "cuda"))
    parser.add_argument("--json", type=Path)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    options = read_options(arguments)
    accelerator = Accelerator(cpu=options.device == "cpu")
    rows = [measure(name, options.steps, options.rounds, accelerator) for name in options.cases]
    device = accelerator.device.type
    where = torch.cuda.get_device_name() if device == "cuda" else f"{torch.get_num_threads()} CPUs"
    table = Table(box=box.SIMPLE, title=f"Recording the mechanism, {where}", title_justify="left")
    for heading in ("training", "a step without it", "ratio", "middle half"):
        table.add_column(heading, justify="left" if heading == "training" else "right")
    for row in rows:
        low, high = row["middle_half"]  # type: ignore[misc]
        table.add_row(
            str(row["case"]),
            f"{row['milliseconds']:.2f} ms",
            f"{row['ratio']:.4f}",
            f"{low:.4f} to {high:.4f}",
        )
    Console(width=100).print(table)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
