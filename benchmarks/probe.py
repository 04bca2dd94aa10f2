"""Logistic regression for 45 l2 values: the whole path against one scikit-learn fit for each.

    python benchmarks/probe.py [--samples 50000] [--dimensions 512] [--classes 100] [--every 1]
        [--seconds 3000] [--json probe.json]

scikit-learn's LogisticRegression (lbfgs) runs on NumPy arrays and on torch tensors
(``array_api_dispatch`` with SCIPY_ARRAY_API=1), in two ways: with its default tolerance and limit
of iterations, which end where the loss is up to a half above the smallest one, and with the
loosest tolerance of 1e-4, 1e-5 … that brings the loss to within 1e-8 (relative) of the smallest,
as ours is proven to be at every value. The search for that tolerance is not counted; where the
tightest does not get there, it is counted nevertheless.

The features are like those of a network: not negative, with a few directions that carry most of
their variance. ``--features FILE`` takes those of an .npz file, ``features`` and ``labels``.

With ``--json``, what was measured is kept after each fit, and the same command goes on with what
is missing; ``--seconds`` ends it early. ``--every 4`` fits scikit-learn at every fourth value
alone, and multiplies. Ours runs the whole path each time that the command is called; the median
counts.
"""

import os

os.environ["SCIPY_ARRAY_API"] = "1"  # read when scipy is imported

import argparse
import json
import statistics
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
import torch
from rich import box
from rich.console import Console
from rich.table import Table
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from torch import Tensor
from torch.nn import functional

from maxsup.measures import WIDE_GRID, logistic_path

NEAR = 1e-8
TOLERANCES = tuple(10.0**-power for power in range(4, 13))
MOST_ITERATIONS = 100_000


def draw(samples: int, dimensions: int, classes: int) -> tuple[Tensor, Tensor]:
    """Features like those that a network gives, and labels."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(classes, (samples,), generator=generator)
    labels[:classes] = torch.arange(classes)
    scales = torch.arange(1, dimensions + 1).pow(-0.5)
    turn = torch.linalg.qr(torch.randn(dimensions, dimensions, generator=generator))[0]
    centres = 0.55 * torch.randn(classes, dimensions, generator=generator)
    hidden = centres[labels] + torch.randn(samples, dimensions, generator=generator)
    return torch.relu((hidden * scales) @ turn.T * 2 + 0.1), labels


def loss_of(fit: LogisticRegression, features: Tensor, labels: Tensor, l2: float) -> float:
    """The loss that ours minimises, at what scikit-learn found."""
    weight, intercept = (torch.as_tensor(each).double() for each in (fit.coef_, fit.intercept_))
    logits = torch.addmm(intercept, features, weight.T)
    return float(functional.cross_entropy(logits, labels) + l2 / 2 * weight.square().sum())


def fit_theirs(
    features: Tensor, labels: Tensor, l2: float, backend: str, **options: Any
) -> dict[str, Any]:
    """One fit of scikit-learn's: its time, its loss and what it took."""
    inputs: tuple[Any, Any] = (features, labels)
    if backend == "numpy":
        inputs = (features.numpy(), labels.numpy())
    model = LogisticRegression(C=1 / (len(labels) * l2), **options)
    with (
        warnings.catch_warnings(),
        sklearn.config_context(array_api_dispatch=backend == "torch"),
    ):
        warnings.simplefilter("ignore", ConvergenceWarning)
        start = time.perf_counter()
        model.fit(*inputs)
        took = time.perf_counter() - start
    return {
        "took": took,
        "loss": loss_of(model, features, labels, l2),
        "iterations": int(model.n_iter_[0]),
        "tol": options.get("tol"),
    }


class Kept:
    """What was measured, in a file where one is named."""

    def __init__(self, path: Path | None, about: dict[str, Any]) -> None:
        self._path = path
        self.content: dict[str, Any] = {"about": about, "ours": [], "losses": {}, "theirs": {}}
        if path is not None and path.exists():
            found = json.loads(path.read_text(encoding="utf-8"))
            if found["about"] != about:
                raise SystemExit(f"{path} is of another measurement: {found['about']}.")
            self.content = found

    def save(self) -> None:
        if self._path is not None:
            partial = self._path.with_suffix(".partial")
            partial.write_text(json.dumps(self.content, indent=1), encoding="utf-8")
            partial.replace(self._path)


def measure_ours(features: Tensor, labels: Tensor, kept: Kept) -> None:
    """The whole path, once."""
    start = time.perf_counter()
    fits = list(logistic_path(features, labels, WIDE_GRID))
    kept.content["ours"].append(time.perf_counter() - start)
    kept.content["losses"] = {f"{fit.l2:.6g}": fit.loss for fit in fits}
    kept.content["gap"] = max(fit.gap / fit.loss for fit in fits)
    kept.save()


def measure_theirs(
    features: Tensor, labels: Tensor, every: int, kept: Kept, until: float, console: Console
) -> None:
    """scikit-learn at each value, as far as the time goes."""
    rows = kept.content["theirs"]
    for l2 in WIDE_GRID[::every]:
        key = f"{l2:.6g}"
        row = rows.setdefault(key, {})
        least = kept.content["losses"][key]
        for backend in ("numpy", "torch"):
            name = f"{backend} default"
            if name not in row and time.monotonic() < until:
                row[name] = fit_theirs(features, labels, l2, backend)
            name = f"{backend} near"
            tolerances = [row["numpy near"]["tol"]] if "numpy near" in row else TOLERANCES
            if name not in row and time.monotonic() < until:
                for tol in tolerances:
                    options = {"tol": tol, "max_iter": MOST_ITERATIONS}
                    found = fit_theirs(features, labels, l2, backend, **options)
                    if found["loss"] <= least * (1 + NEAR) or found["tol"] == tolerances[-1]:
                        break
                row[name] = found
            kept.save()
        if time.monotonic() >= until:
            console.print(f"Stopped at l2 = {key}; the same command goes on.")
            return


def table_of(kept: Kept, every: int) -> Table:
    """Times and ratios of medians, and how near the losses are."""
    ours = statistics.median(kept.content["ours"])
    rows, losses = kept.content["theirs"], kept.content["losses"]
    about = kept.content["about"]
    table = Table(
        box=box.SIMPLE,
        title=f"45 values of l2, {about['samples']:,} × {about['dimensions']} features, "
        f"{about['classes']} classes, {about['threads']} threads",
        title_justify="left",
    )
    for heading in ("", "seconds", "times ours", "iterations", "furthest above the least loss"):
        table.add_column(heading, justify="left" if not heading else "right")
    table.add_row(
        "maxsup, whole path", f"{ours:.1f}", "1", "", f"{kept.content['gap']:.0e} at most"
    )
    for name, words in (
        ("numpy default", "scikit-learn, NumPy, default tolerance"),
        ("numpy near", "scikit-learn, NumPy, to within 1e-8"),
        ("torch default", "scikit-learn, torch, default tolerance"),
        ("torch near", "scikit-learn, torch, to within 1e-8"),
    ):
        found = {key: row[name] for key, row in rows.items() if name in row}
        if not found:
            continue
        complete = len(found) == len(WIDE_GRID[::every])
        seconds = sum(each["took"] for each in found.values()) * len(WIDE_GRID) / len(found)
        above = max(each["loss"] / losses[key] - 1 for key, each in found.items())
        table.add_row(
            words + ("" if complete else f" ({len(found)} values)"),
            f"{seconds:.1f}",
            f"{seconds / ours:.1f}",
            f"{sum(each['iterations'] for each in found.values()) / len(found):.0f} a fit",
            f"{above:.0e}",
        )
    return table


def read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--samples", type=int, default=50_000)
    parser.add_argument("--dimensions", type=int, default=512)
    parser.add_argument("--classes", type=int, default=100)
    parser.add_argument("--features", type=Path)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--json", type=Path)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is missing, and print the table."""
    options = read_options(arguments)
    until = time.monotonic() + options.seconds
    if options.features is None:
        features, labels = draw(options.samples, options.dimensions, options.classes)
    else:
        arrays = np.load(options.features)
        features, labels = (torch.from_numpy(arrays[name]) for name in ("features", "labels"))
        labels = labels.long()
    features = features.double()
    about = {
        "samples": len(labels),
        "dimensions": features.shape[1],
        "classes": int(labels.max()) + 1,
        "features": "drawn" if options.features is None else options.features.name,
        "threads": torch.get_num_threads(),
        "versions": f"torch {torch.__version__}, scikit-learn {sklearn.__version__}",
    }
    console = Console()
    kept = Kept(options.json, about)
    measure_ours(features, labels, kept)
    measure_theirs(features, labels, options.every, kept, until, console)
    console.print(table_of(kept, options.every))
    console.print(about["versions"])


if __name__ == "__main__":
    main()
