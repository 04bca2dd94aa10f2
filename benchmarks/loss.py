"""What the objectives cost, forward and backward, in time and memory, against their peers.

Each round runs every contestant once, in another order, so that what else the machine does hits all
alike; a ratio is the median over the rounds of a contestant's time by the reference's of the same
round. The reference, ratio 1, is torch's cross-entropy with label smoothing.

    python benchmarks/loss.py [--dtype bfloat16] [--threads 2] [--rounds 21] [--only maxsup copy]
        [--shapes 1024x1000 256x128256] [--json costs.json] [--picture costs.png]

The second table is the loss together with the last linear layer, where the logits need not be kept;
``--shapes`` or ``--heads`` without a shape leaves a table out. All of it takes about ten minutes on
one core.
"""

import argparse
import dataclasses
import gc
import importlib.util
import itertools
import json
import math
import os
import random
import statistics
import sys
import tempfile
import textwrap
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from torch import Tensor
from torch.nn import functional as F

from maxsup import functional

ALPHA = 0.1
WARM_UP = 3  # calls
SAMPLE = 0.01  # seconds that the reference is to run for in a round: shorter ones tick too coarsely
SHAPES = ("1024x10", "128x100", "1024x1000", "1024x21841", "256x128256")
HEADS = ("2048x512x50257",)
# Forward and backward are apart in autograd: the one reads the logits, the other reads them again
# and writes their gradient. A copy reads and writes.
LOSS_PASSES, COPY_PASSES = 3, 2

Objective = Callable[..., Tensor]


class Skip(Exception):
    """Why a contestant cannot run here."""


@dataclass(frozen=True)
class Contestant:
    """One way to compute one formula.

    ``build`` returns the function of (logits, target), or of (features, weight, target), that gives
    the mean loss; it raises ``Skip`` or ``ImportError`` where there is none.
    """

    name: str
    formula: str
    build: Callable[[], Objective]


@dataclass(frozen=True)
class Cost:
    """A line of a table; numbers are None where the contestant was skipped."""

    shape: tuple[int, ...]  # (N, K) or (N, D, K)
    contestant: str
    seconds: float | None = None  # median of the rounds
    ratio: float | None = None  # median of the rounds
    ratio_quartiles: tuple[float, float] | None = None
    peak_bytes: int | None = None  # above what was there before; the gradients left out for a head
    peak_by_logits: float | None = None
    fraction_of_copy: float | None = None  # of the bandwidth that a copy of the logits reaches
    skipped: str | None = None


# ------------------------------------------------------------------------------------ contestants

REFERENCE = "torch label smoothing"
COPY = "copy of the logits"
HEAD_REFERENCE = "linear + torch label smoothing"


def maxsup(logits: Tensor, target: Tensor) -> Tensor:
    return functional.maxsup_loss(logits, target, alpha=ALPHA)


def label_smoothing(logits: Tensor, target: Tensor) -> Tensor:
    return functional.label_smoothing_loss(logits, target, alpha=ALPHA)


def torch_label_smoothing(logits: Tensor, target: Tensor) -> Tensor:
    return F.cross_entropy(logits, target, label_smoothing=ALPHA)


def naive_maxsup(logits: Tensor, target: Tensor) -> Tensor:
    """As the paper's authors publish it."""
    penalty = logits.max(dim=1).values - logits.mean(dim=1)
    return F.cross_entropy(logits, target) + ALPHA * penalty.mean()


def timm_label_smoothing() -> Objective:
    from timm.loss import LabelSmoothingCrossEntropy

    return LabelSmoothingCrossEntropy(ALPHA)


def torch_uncertainty_maxsup() -> Objective:
    """The file alone: it needs torch, while importing the package asks for Lightning too."""
    package = importlib.util.find_spec("torch_uncertainty")
    if package is None or package.origin is None:
        raise Skip("torch_uncertainty is not installed")
    file = Path(package.origin).parent / "losses" / "classification.py"
    spec = importlib.util.spec_from_file_location("torch_uncertainty_losses", file)
    if spec is None or spec.loader is None or not file.exists():
        raise Skip("torch_uncertainty has no losses/classification.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.CrossEntropyMaxSupLoss(max_sup=ALPHA)


def loss_contestants(*, compiled: bool) -> list[Contestant]:
    """Functions of (logits, target)."""

    def twice(name: str, formula: str, function: Objective) -> list[Contestant]:
        def build_compiled() -> Objective:
            if not compiled:
                raise Skip("--no-compile")
            return torch.compile(function)

        return [
            Contestant(name, formula, lambda: function),
            Contestant(f"{name}, compiled", formula, build_compiled),
        ]

    return [
        *twice("maxsup.maxsup_loss", "maxsup", maxsup),
        *twice("maxsup.label_smoothing_loss", "label smoothing", label_smoothing),
        *twice("torch cross-entropy", "cross-entropy", F.cross_entropy),
        *twice(REFERENCE, "label smoothing", torch_label_smoothing),
        Contestant("timm label smoothing", "label smoothing", timm_label_smoothing),
        Contestant("naive MaxSup", "maxsup", lambda: naive_maxsup),
        Contestant("torch-uncertainty MaxSup", "maxsup", torch_uncertainty_maxsup),
        Contestant(COPY, "copy", lambda: lambda logits, target: logits.detach().clone()),
    ]


def fused(name: str) -> Callable[[], Objective]:
    """A function of maxsup that takes features and a linear layer's weight."""

    def build() -> Objective:
        function = getattr(functional, name, None)
        if function is None:
            raise Skip("not in maxsup.functional")
        return lambda features, weight, target: function(features, weight, target, alpha=ALPHA)

    return build


def unfused(objective: Objective) -> Callable[[], Objective]:
    return lambda: lambda features, weight, target: objective(F.linear(features, weight), target)


def torch_linear_cross_entropy(smoothing: float, *, chunked: bool) -> Callable[[], Objective]:
    """Torch's own, in one piece or by parts of the batch."""

    def build() -> Objective:
        function = getattr(F, "linear_cross_entropy", None)
        if function is None:
            raise Skip("this torch has no linear_cross_entropy")
        if chunked and not hasattr(torch.nn, "LinearCrossEntropyOptions"):
            raise Skip("this torch has no LinearCrossEntropyOptions")
        options = {"options": torch.nn.LinearCrossEntropyOptions()} if chunked else {}

        def objective(features: Tensor, weight: Tensor, target: Tensor) -> Tensor:
            return function(features, weight, target, label_smoothing=smoothing, **options)

        # Where the parts cannot be had it warns and takes the whole, which has a line of its own.
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            objective(torch.ones(8, 2), torch.ones(8, 2), torch.arange(8))
        if any("ignored" in str(warning.message) for warning in caught):
            raise Skip("torch has no chunks for this and takes the whole")
        return objective

    return build


def liger(device: torch.device) -> Callable[[], Objective]:
    def build() -> Objective:
        if device.type != "cuda":
            raise Skip("needs a GPU")
        from liger_kernel.transformers import LigerFusedLinearCrossEntropyLoss

        function = LigerFusedLinearCrossEntropyLoss(label_smoothing=ALPHA)
        return lambda features, weight, target: function(weight, features, target)

    return build


def head_contestants(device: torch.device) -> list[Contestant]:
    """Functions of (features, weight, target)."""
    smoothing = "label smoothing"
    return [
        Contestant("maxsup.linear_maxsup_loss", "maxsup", fused("linear_maxsup_loss")),
        Contestant(
            "maxsup.linear_label_smoothing_loss", smoothing, fused("linear_label_smoothing_loss")
        ),
        Contestant("linear + maxsup.maxsup_loss", "maxsup", unfused(maxsup)),
        Contestant(HEAD_REFERENCE, smoothing, unfused(torch_label_smoothing)),
        Contestant(
            "torch linear_cross_entropy",
            smoothing,
            torch_linear_cross_entropy(ALPHA, chunked=False),
        ),
        Contestant(
            "torch linear_cross_entropy, chunked",
            smoothing,
            torch_linear_cross_entropy(ALPHA, chunked=True),
        ),
        # Its chunks have been for plain cross-entropy alone.
        Contestant(
            "torch linear_cross_entropy, chunked, no smoothing",
            "cross-entropy",
            torch_linear_cross_entropy(0.0, chunked=True),
        ),
        Contestant("Liger fused linear cross-entropy", smoothing, liger(device)),
    ]


# -------------------------------------------------------------------------------------- measuring


@dataclass(frozen=True)
class Step:
    """One call of a contestant with its backward, from no gradient to a fresh one."""

    objective: Objective
    inputs: tuple[Tensor, ...]

    def forget(self) -> None:
        for tensor in self.inputs:
            tensor.grad = None

    def __call__(self) -> Tensor:
        self.forget()
        value = self.objective(*self.inputs)
        if value.requires_grad:
            value.backward()
        return value.detach()


def settle_allocator() -> None:
    """Let the C library keep blocks of up to 32 MiB for reuse.

    glibc returns a block to the system when it is freed, to fault every page of it in again the
    next time, until one larger than it has been freed. A training has come to that after its first
    step; a benchmark would get there at some time during the rounds, or swing between the two.
    """
    torch.empty(31 * 2**20, dtype=torch.uint8)


def synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def peak_bytes(step: Step, device: torch.device) -> int:
    """The most that a step holds at a time beyond its inputs, its gradients included.

    The CPU's allocator keeps no counter. The profiler sees each of its blocks come and go, compiled
    code's as well, so that a running total has the peak to the byte; the process's resident memory
    would depend on what the C library gave back before. Not seen is what libraries below torch take
    for themselves, such as the packed panels of a matrix product: a few MiB.
    """
    step.forget()
    synchronize(device)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        step()
        synchronize(device)
        return torch.cuda.max_memory_allocated(device) - before
    with torch.profiler.profile(
        activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True
    ) as profile:
        step()
        step.forget()  # inside: a block whose end is not seen would confuse the next measurement
    with tempfile.TemporaryDirectory() as directory:
        trace = Path(directory) / "trace.json"
        profile.export_chrome_trace(str(trace))
        events = json.loads(trace.read_text())["traceEvents"]
    changes = sorted(
        ((event["ts"], event["args"]["Bytes"]) for event in events if event["name"] == "[memory]"),
        key=lambda change: change[0],
    )
    return max(itertools.accumulate((size for _, size in changes), initial=0))


def warm_up(
    contestants: Sequence[Contestant], inputs: tuple[Tensor, ...], reference: str
) -> tuple[dict[str, Step], dict[str, str]]:
    """The steps that run here and agree on the loss; and why the others do not."""
    steps: dict[str, Step] = {}
    skipped: dict[str, str] = {}
    values: dict[str, tuple[str, float]] = {}  # of each formula, the first one's
    tolerance = 1e-4 if inputs[0].dtype == torch.float32 else 2e-2
    for contestant in contestants:
        try:
            step = Step(contestant.build(), inputs)
            for _ in range(WARM_UP):
                value = step()
        except (Skip, ImportError) as reason:
            skipped[contestant.name] = str(reason)
        except Exception as error:  # a peer's failure must not cost the others' numbers
            if contestant.name == reference:
                raise
            skipped[contestant.name] = f"{type(error).__name__}: {error}".splitlines()[0][:100]
        else:
            steps[contestant.name] = step
            if value.dim() == 0:
                first, expected = values.setdefault(
                    contestant.formula, (contestant.name, value.item())
                )
                if not math.isclose(value.item(), expected, rel_tol=tolerance):
                    reason = f"gives {value.item():.6g}, {first} {expected:.6g}"
                    if contestant.name == reference:
                        raise AssertionError(f"{reference} {reason}")
                    del steps[contestant.name]
                    skipped[contestant.name] = reason
    return steps, skipped


def time_rounds(
    steps: dict[str, Step], reference: str, rounds: int, device: torch.device
) -> dict[str, list[float]]:
    """Seconds per call, one number a round; on a GPU by its own clock."""

    def seconds(step: Step, calls: int) -> float:
        if device.type == "cuda":
            start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            start.record()
            for _ in range(calls):
                step()
            end.record()
            end.synchronize()
            return start.elapsed_time(end) / 1000 / calls
        start_time = time.perf_counter()
        for _ in range(calls):
            step()
        return (time.perf_counter() - start_time) / calls

    calls = math.ceil(SAMPLE / min(seconds(steps[reference], 1) for _ in range(3)))
    order = list(steps)
    shuffle = random.Random(0)  # none is to follow the same one, and what it left, every time
    times: dict[str, list[float]] = {name: [] for name in order}
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            shuffle.shuffle(order)
            for name in order:
                times[name].append(seconds(steps[name], calls))
                steps[name].forget()
    finally:
        gc.enable()
    return times


def measure(
    shape: tuple[int, ...],
    contestants: Sequence[Contestant],
    inputs: tuple[Tensor, ...],
    reference: str,
    rounds: int,
) -> list[Cost]:
    """The costs of all contestants on the same inputs."""
    device = inputs[0].device
    is_head = len(shape) == 3
    logits_bytes = shape[0] * shape[-1] * inputs[0].element_size()
    steps, skipped = warm_up(contestants, inputs, reference)
    peaks = {name: peak_bytes(step, device) for name, step in steps.items()}
    if is_head:
        gradients = sum(tensor.nbytes for tensor in inputs if tensor.requires_grad)
        peaks = {name: peak - gradients for name, peak in peaks.items()}
    times = time_rounds(steps, reference, rounds, device)
    copy = statistics.median(times[COPY]) if COPY in times else None

    costs = []
    for contestant in contestants:
        name = contestant.name
        if name in skipped:
            costs.append(Cost(shape, name, skipped=skipped[name]))
            continue
        seconds = statistics.median(times[name])
        ratios = [a / b for a, b in zip(times[name], times[reference], strict=True)]
        low, _, high = statistics.quantiles(ratios, n=4) if rounds > 1 else ratios * 3
        passes = COPY_PASSES if name == COPY else LOSS_PASSES
        costs.append(
            Cost(
                shape,
                name,
                seconds=seconds,
                ratio=statistics.median(ratios),
                ratio_quartiles=(low, high),
                peak_bytes=peaks[name],
                peak_by_logits=peaks[name] / logits_bytes,
                fraction_of_copy=None if copy is None else passes / COPY_PASSES * copy / seconds,
            )
        )
    return costs


def loss_inputs(
    shape: tuple[int, ...], dtype: torch.dtype, device: torch.device
) -> tuple[Tensor, ...]:
    generator = torch.Generator(device).manual_seed(0)
    logits = torch.randn(shape, generator=generator, device=device).to(dtype).requires_grad_()
    target = torch.randint(shape[1], shape[:1], generator=generator, device=device)
    return logits, target


def head_inputs(
    shape: tuple[int, ...], dtype: torch.dtype, device: torch.device
) -> tuple[Tensor, ...]:
    positions, features, classes = shape
    generator = torch.Generator(device).manual_seed(0)

    def normal(*size: int) -> Tensor:
        return torch.randn(size, generator=generator, device=device)

    weight = normal(classes, features) / math.sqrt(features)
    target = torch.randint(classes, (positions,), generator=generator, device=device)
    return (
        normal(positions, features).to(dtype).requires_grad_(),
        weight.to(dtype).requires_grad_(),
        target,
    )


# ---------------------------------------------------------------------------------------- showing


def duration(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}" if seconds < 1000 * size else f"{seconds:.0f} s"
    return f"{seconds / 1e-6:.3g} µs"


def draw_table(title: str, caption: str, columns: Sequence[str], costs: Sequence[Cost]) -> Table:
    """A section for each shape, a line for each contestant, skipped ones with their reason."""
    table = Table(title=title, caption=caption, box=box.SIMPLE_HEAD, caption_justify="left")
    table.add_column("contestant")
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    for shape, group in itertools.groupby(costs, key=lambda cost: cost.shape):
        letters = "NDK" if len(shape) == 3 else "NK"
        sizes = ", ".join(f"{a} = {b}" for a, b in zip(letters, shape, strict=True))
        table.add_row(f"[bold]{sizes}[/bold]")
        for cost in group:
            table.add_row(*line(cost))
        table.add_section()
    return table


def line(cost: Cost) -> list[str]:
    """A table's cells, as many as its columns or fewer."""
    name = f"  {cost.contestant}"
    if cost.seconds is None or cost.ratio_quartiles is None or cost.peak_bytes is None:
        reason = textwrap.wrap(f"skipped: {cost.skipped}", 46)
        return [escape("\n    ".join([name, *reason])), *"–––––"]
    low, high = cost.ratio_quartiles
    times = [duration(cost.seconds), f"{cost.ratio:.2f}", f"{low:.2f} to {high:.2f}"]
    if len(cost.shape) == 3:
        return [
            name, *times, f"{cost.peak_bytes / 2**20:,.1f}", f"{100 * cost.peak_by_logits:.1f}"
        ]  # fmt: skip
    fraction = "–" if cost.fraction_of_copy is None else f"{100 * cost.fraction_of_copy:.0f} %"
    return [name, *times, f"{cost.peak_by_logits:.2f}", fraction]


def tables(costs: Sequence[Cost], setting: str) -> Iterator[Table]:
    """One of the losses and one of the heads, where there are any."""
    times = ("time", "ratio", "middle half")
    losses = [cost for cost in costs if len(cost.shape) == 2]
    heads = [cost for cost in costs if len(cost.shape) == 3]
    if losses:
        caption = (
            f"ratio: time by that of {REFERENCE}, median of the rounds, and its middle half.\n"
            "peak memory: beyond the logits, gradient included, by the logits' size.\n"
            "of copy: fraction of a copy's bandwidth, for reading the logits twice and writing the "
            "gradient once."
        )
        columns = (*times, "peak memory", "of copy")
        yield draw_table(f"Objectives: {setting}", caption, columns, losses)
    if heads:
        caption = (
            f"ratio: time by that of {HEAD_REFERENCE}.\n"
            "extra: peak memory beyond features, weight and the gradients of both."
        )
        columns = (*times, "extra MiB", "% of logits")
        yield draw_table(f"With the last linear layer: {setting}", caption, columns, heads)


# A family has a colour of its own lightness and a marker; compiled is dashed, with a hollow marker.
FAMILIES = {
    "maxsup.maxsup_loss": ("#b2182b", "o"),
    "maxsup.label_smoothing_loss": ("#ef8a62", "s"),
    REFERENCE: ("#000000", "D"),
    "torch cross-entropy": ("#5e6b73", "v"),
    "timm label smoothing": ("#3b6fb6", "^"),
    "naive MaxSup": ("#1b7837", "X"),
    "torch-uncertainty MaxSup": ("#7b3294", "P"),
    COPY: ("#9aa0a6", "|"),
}


def draw_picture(costs: Iterable[Cost], setting: str, path: Path) -> None:
    """Time per logit and peak memory against K, a line for each contestant."""
    lines: dict[str, list[Cost]] = {}
    for cost in sorted(costs, key=lambda cost: cost.shape[-1]):
        if cost.seconds is not None and len(cost.shape) == 2:
            lines.setdefault(cost.contestant, []).append(cost)
    # From top to bottom as the lines end, so that the eye finds them without the colours.
    names = sorted(lines, key=lambda name: -(lines[name][-1].ratio or 0))

    figure = Figure(figsize=(12, 5), layout="constrained")
    panels = figure.subplots(1, 2)
    figures: tuple[Callable[[Cost], Any], ...] = (
        lambda cost: 1e9 * cost.seconds / math.prod(cost.shape),
        lambda cost: cost.peak_by_logits,
    )
    titles = ("time per logit, ns", "peak memory beyond the logits, by their size")
    for axes, figure_of, title in zip(panels, figures, titles, strict=True):
        for name in names:
            family, _, compiled = name.partition(", ")
            colour, marker = FAMILIES[family]
            axes.plot(
                [cost.shape[-1] for cost in lines[name]],
                [figure_of(cost) for cost in lines[name]],
                color=colour,
                linestyle=":" if name == COPY else "--" if compiled else "-",
                linewidth=2.4 if name == REFERENCE else 1.4,
                marker=marker,
                markersize=7,
                markerfacecolor="white" if compiled else colour,
                label=name,
            )
        axes.set_xscale("log")
        axes.set_yscale("log")
        classes = sorted({cost.shape[-1] for of in lines.values() for cost in of})
        axes.set_xticks(classes, [str(number) for number in classes])
        axes.set_xticks([], minor=True)
        axes.set_xlabel("number of classes K")
        axes.set_title(title, loc="left", fontsize=11)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.grid(color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    # The memory's range is short: its whole numbers say more than powers of ten.
    most = max(cost.peak_by_logits or 0 for of in lines.values() for cost in of)
    panels[1].set_yticks(range(1, math.ceil(most) + 1))
    panels[1].yaxis.set_minor_formatter(NullFormatter())
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside right center",
        frameon=False,
        title="slowest first, at the largest K",
        alignment="left",
        handlelength=3.5,
    )
    figure.suptitle(f"Forward and backward: {setting}", x=0.01, ha="left", fontsize=12)
    figure.savefig(path, dpi=144)


# ---------------------------------------------------------------------------------------- running


def sizes(axes: int) -> Callable[[str], tuple[int, ...]]:
    def read(text: str) -> tuple[int, ...]:
        parts = text.split("x")
        if len(parts) != axes or not all(part.isdigit() and int(part) > 0 for part in parts):
            form = "x".join("NDK" if axes == 3 else "NK")
            raise argparse.ArgumentTypeError(f"{text!r} is not of the form {form}")
        return tuple(map(int, parts))

    return read


def read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--threads", type=int, help="of torch on the CPU; its own choice without")
    parser.add_argument("--rounds", type=int, default=21, help="of the first table")
    parser.add_argument("--head-rounds", type=int, default=5, help="of the second table")
    parser.add_argument("--shapes", nargs="*", type=sizes(2), metavar="NxK", help="logits")
    parser.add_argument(
        "--heads", nargs="*", type=sizes(3), metavar="NxDxK", help="features and classes"
    )
    parser.add_argument("--only", nargs="+", metavar="WORD", help="contestants with it in the name")
    parser.add_argument("--no-compile", action="store_true", help="skip what torch.compile makes")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--picture", type=Path, metavar="FILE.png")
    options = parser.parse_args(arguments)
    if options.rounds < 1 or options.head_rounds < 1:
        parser.error("there must be at least one round")
    if options.picture is not None and options.shapes == []:
        parser.error("the picture is of the first table, which needs --shapes")
    if options.shapes is None:
        options.shapes = [sizes(2)(text) for text in SHAPES]
    if options.heads is None:
        options.heads = [sizes(3)(text) for text in HEADS]
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = read_options(arguments)
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    os.environ.setdefault("KINETO_LOG_LEVEL", "6")  # the profiler tells of each start otherwise
    settle_allocator()
    device, dtype = torch.device(options.device), getattr(torch, options.dtype)

    def chosen(contestants: list[Contestant], reference: str) -> list[Contestant]:
        if options.only is None:
            return contestants
        return [
            contestant
            for contestant in contestants
            if contestant.name == reference
            or any(word.lower() in contestant.name.lower() for word in options.only)
        ]

    costs: list[Cost] = []
    losses = chosen(loss_contestants(compiled=not options.no_compile), REFERENCE)
    heads = chosen(head_contestants(device), HEAD_REFERENCE)
    for shape in (*options.shapes, *options.heads):
        print(f"measuring {'x'.join(map(str, shape))} ...", file=sys.stderr)
        if not options.no_compile:
            torch.compiler.reset()  # each shape compiled for itself, as in a training of its own
        if len(shape) == 2:
            inputs = loss_inputs(shape, dtype, device)
            costs += measure(shape, losses, inputs, REFERENCE, options.rounds)
        else:
            inputs = head_inputs(shape, dtype, device)
            costs += measure(shape, heads, inputs, HEAD_REFERENCE, options.head_rounds)

    machine = (
        torch.cuda.get_device_name(device)
        if device.type == "cuda"
        else f"{device.type} with threads: {torch.get_num_threads()}"
    )
    setting = f"{options.dtype}, {machine}, torch {torch.__version__}"
    # In a file there is no width to ask for; the tables need this much.
    console = Console() if sys.stdout.isatty() else Console(width=116)
    for table in tables(costs, setting):
        console.print(table)
    if options.json is not None:
        record = {
            "setting": setting,
            "rounds": options.rounds,
            "head_rounds": options.head_rounds,
            "costs": [dataclasses.asdict(cost) for cost in costs],
        }
        options.json.write_text(json.dumps(record, indent=2, allow_nan=False) + "\n")
    if options.picture is not None:
        draw_picture(costs, setting, options.picture)


if __name__ == "__main__":
    main()
