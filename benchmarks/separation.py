"""What class separation costs, in readings of the features.

    python benchmarks/separation.py [--samples 200000] [--features 512] [--rounds 5] [--json FILE]

One reading is the time of ``features.sum()``, which has to fetch every number once. In one process,
in turn: a reading, the separation of all samples at once, that of the same samples in batches of
512 as they come in a pass over a model, and the way that suggests itself, an index-add of all unit
features in float64. The ratio of medians is shown. At most 12 are promised for float32 on a CPU.
Run it with ``OMP_WAIT_POLICY=passive`` where other programs share the cores: threads that wait for
each other otherwise take the cores from those that they wait for.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from rich import box
from rich.console import Console
from rich.table import Table
from torch import Tensor

from maxsup.measures import ClassSeparation, class_separation

BATCH = 512


def in_batches(features: Tensor, labels: Tensor, classes: int) -> object:
    """As in a pass over a model."""
    metric = ClassSeparation(classes, features.shape[1])
    for rows, of_rows in zip(features.split(BATCH), labels.split(BATCH), strict=True):
        metric.update(rows, of_rows)
    return metric.compute()


def by_index_add(features: Tensor, labels: Tensor, classes: int) -> Tensor:
    """The sums of unit features alone, all in float64 at once."""
    rows = features.double()
    units = rows / torch.linalg.vector_norm(rows, dim=1, keepdim=True)
    sums = torch.zeros(classes, features.shape[1], dtype=torch.float64, device=features.device)
    return sums.index_add_(0, labels, units)


def seconds(call: Callable[[], object], device: torch.device) -> float:
    start = time.perf_counter()
    call()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def measure(options: argparse.Namespace, classes: int) -> dict[str, object]:
    """One row of the table."""
    device = torch.device(options.device)
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(options.samples, options.features, generator=generator).to(device)
    features = features.to(getattr(torch, options.dtype))
    labels = torch.randint(classes, (options.samples,), generator=generator).to(device)
    calls: dict[str, Callable[[], object]] = {
        "reading": features.sum,
        "at once": lambda: class_separation(features, labels, classes),
        "in batches": lambda: in_batches(features, labels, classes),
    }
    if options.naive:
        calls["index-add"] = lambda: by_index_add(features, labels, classes)
    took: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(options.rounds + 1):
        for name, call in calls.items():
            found = seconds(call, device)
            if number:  # the first warms up
                took[name].append(found)
    medians = {name: statistics.median(each) for name, each in took.items()}
    return {
        "classes": classes,
        "milliseconds": 1000 * medians["reading"],
        "ratios": {name: medians[name] / medians["reading"] for name in calls if name != "reading"},
    }


def read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--samples", type=int, default=200_000)
    parser.add_argument("--features", type=int, default=512)
    parser.add_argument("--classes", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--dtype", choices=("float32", "float64", "bfloat16"), default="float32")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--naive", action="store_true", help="the index-add in float64 as well")
    parser.add_argument("--json", type=Path)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    options = read_options(arguments)
    rows = [measure(options, classes) for classes in options.classes]
    cuda = torch.device(options.device).type == "cuda"
    where = torch.cuda.get_device_name() if cuda else f"{torch.get_num_threads()} CPU threads"
    title = f"Class separation of {options.samples:,} × {options.features} {options.dtype}, {where}"
    table = Table(box=box.SIMPLE, title=title, title_justify="left")
    names = list(rows[0]["ratios"])  # type: ignore[call-overload]
    for heading in ("classes", "one reading", *names):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            f"{row['classes']:,}",
            f"{row['milliseconds']:.1f} ms",
            *(f"{row['ratios'][name]:.1f}" for name in names),  # type: ignore[index]
        )
    Console(width=100).print(table)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
