"""Everything that is measured on a GPU, in pieces that can be stopped and gone on with.

    python benchmarks/gpu.py kernels losses heads training [--out runs/gpu] [--seconds 120]
    python benchmarks/gpu.py column --data FOLDER [--epochs 200] [--seeds 3] [--parallel 3]
    python benchmarks/gpu.py tables [--out runs/gpu]

``kernels``: every objective, by each backend, against float64 in value and gradient. ``losses`` and
``heads``: what ``loss.py`` measures, at sizes that fill a GPU. ``training``: images per second,
against the shortest loop. ``column``: a recipe trained for real, several runs at once. ``tables``
shows what has been measured.

Each measurement is kept in ``--out`` as soon as it is made, in a JSON file of its piece, and not
made again there. A piece begins nothing that would take it beyond its seconds. ``--smoke`` takes
sizes that a CPU is quick with: ``--device cpu --smoke`` goes through all of it in a minute.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

os.environ.setdefault("KINETO_LOG_LEVEL", "6")  # the profiler tells of each start otherwise

import torch
from rich.console import Console, RenderableType

import gpu_column
import gpu_kernels
import gpu_losses
import gpu_training
from gpu_record import OutOfTime, Record

PIECES = ("kernels", "losses", "heads", "training", "column")
SECONDS = 540.0


def measure(piece: str, options: argparse.Namespace) -> None:
    """Measure a piece, as far as the time goes."""
    device = torch.device(options.device)
    settings: dict[str, object] = {"smoke": options.smoke, "compiled": not options.no_compile}
    if piece == "column":
        column = gpu_column.Column(
            data=options.data,
            epochs=options.epochs,
            seeds=options.seeds,
            parallel=options.parallel,
            compile=not options.no_compile and options.compile_column,
            smoke=options.smoke,
        )
        # By name: where it lies is one machine's affair.
        name = Path(column.data).name
        settings = {"data": name, "epochs": column.epochs, "compiled": column.compile}
    record = Record(options.out / f"{piece}.json", device, options.seconds, settings)
    sizes = {"smoke": options.smoke, "compiled": not options.no_compile}
    try:
        if piece == "kernels":
            gpu_kernels.measure(record, **sizes)
        elif piece == "losses":
            gpu_losses.measure_losses(record, **sizes)
        elif piece == "heads":
            gpu_losses.measure_heads(record, smoke=options.smoke)
        elif piece == "training":
            gpu_training.measure(record, **sizes)
        else:
            gpu_column.measure(record, column)
    except OutOfTime:
        print(f"{piece}: the time is over; the same command goes on", file=sys.stderr)


def tables(piece: str, path: Path) -> Iterable[RenderableType]:
    """What a piece has measured so far."""
    content = json.loads(path.read_text(encoding="utf-8"))
    if piece == "kernels":
        return gpu_kernels.tables(content)
    if piece == "training":
        return gpu_training.tables(content)
    if piece == "column":
        return gpu_column.tables(content, path)
    return gpu_losses.tables(content)


def read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pieces", nargs="+", choices=(*PIECES, "tables"), metavar="PIECE")
    parser.add_argument("--out", type=Path, default=Path("runs/gpu"), help="where results are kept")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="limit of each piece")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--smoke", action="store_true", help="tiny sizes, to see that all runs")
    parser.add_argument("--no-compile", action="store_true", help="skip what torch.compile makes")
    column = parser.add_argument_group("column")
    column.add_argument("--data", help="CIFAR-100, in a folder; the digits with --smoke")
    column.add_argument("--epochs", type=int, default=200, help="of each run")
    column.add_argument("--seeds", type=int, default=3, help="runs of each method")
    column.add_argument("--parallel", type=int, default=3, help="runs at once on the card")
    column.add_argument("--compile-column", action="store_true", help="compile the models")
    options = parser.parse_args(arguments)
    for name in ("seconds", "epochs", "seeds", "parallel"):
        if not getattr(options, name) > 0:
            parser.error(f"--{name} must be above 0; got {getattr(options, name)}")
    if options.smoke:
        options.data, options.epochs = options.data or "digits", 1
        options.seeds = min(options.seeds, 2)
    if "column" in options.pieces and options.data is None:
        parser.error("column needs --data, a folder with CIFAR-100")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = read_options(arguments)
    # In a file there is no width to ask for; the tables need this much.
    console = Console() if sys.stdout.isatty() else Console(width=116)
    for piece in PIECES:
        if piece in options.pieces:
            measure(piece, options)
        path = options.out / f"{piece}.json"
        if path.exists() and (piece in options.pieces or "tables" in options.pieces):
            for table in tables(piece, path):
                console.print(table)


if __name__ == "__main__":
    main()
