"""How a figure of the training runs over the epochs."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from maxsup.figures._panel import method_style, panel

_MARKS = 8
_SHORTEST = 4
"""Epochs from which on the second half alone is what matters."""
_BEYOND = 5.0
"""How many times the range of the others a method may take."""


def curve_figure(
    name: str,
    title: str,
    curves: Mapping[str, list[list[float]]],
    labels: Mapping[str, str],
    *,
    window: tuple[float, float] | None = None,
    epochs: Mapping[str, Sequence[int]] | None = None,
    logarithmic: bool = False,
) -> str:
    """Draw the mean over seeds with the range from the lowest to the highest seed, for each method.

    Args:
        name: A name that no other picture of the page has.
        title: The quantity that is drawn, with its unit.
        curves: For each method, each seed's values, one an epoch, from the first on; NaN where
            there is none, and then the mean is over the seeds that have one.
        labels: The methods' labels by name, in order.
        window: The range of the axis, such as :func:`curve_window` finds; by default that of all
            values.
        epochs: For each method the epochs that the values are of; by default 1, 2, …
        logarithmic: Whether the values are positive ones of which ratios matter: the mean is a
            geometric one, and the axis logarithmic where they differ by a factor of ten or more.

    Returns:
        The picture as SVG.
    """
    of_method = {method: np.ma.masked_invalid(np.array(seeds)) for method, seeds in curves.items()}
    last = {labels[method]: values[:, -1].mean() for method, values in of_method.items()}
    shown = "; ".join(
        f"{label} {value:.3g}" for label, value in last.items() if value is not np.ma.masked
    )
    is_logarithmic = logarithmic and _spans_decade(list(of_method.values()))
    with panel(
        name, f"{title} over the epochs. At the end: {shown or 'none'}.", title=title
    ) as drawn:
        for number, method in enumerate(labels):
            if method not in curves:
                continue
            style = method_style(number)
            values = of_method[method]
            at = np.arange(1, values.shape[1] + 1) if epochs is None else np.array(epochs[method])
            mean = np.ma.exp(np.ma.log(values).mean(axis=0)) if logarithmic else values.mean(axis=0)
            drawn.axes.plot(
                at,
                mean,
                color=style.colour,
                linestyle=style.dashes,
                linewidth=1.8,
                marker=style.marker,
                markersize=5,
                markevery=max(1, len(at) // _MARKS),
            )
            if len(values) > 1:
                drawn.axes.fill_between(
                    at,
                    values.min(axis=0),
                    values.max(axis=0),
                    color=style.colour,
                    alpha=0.13,
                    linewidth=0,
                )
        if is_logarithmic:
            drawn.axes.set_yscale("log")
            drawn.axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=8))
            drawn.axes.yaxis.set_major_formatter(lambda value, position: f"{value:g}")
            drawn.axes.yaxis.set_minor_formatter(NullFormatter())
        if window is not None:
            drawn.axes.set_ylim(*window)
        drawn.axes.set_xlabel("epoch")
        drawn.axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    return drawn.svg


def _spans_decade(values: list[np.ma.MaskedArray]) -> bool:
    known = np.concatenate([each.compressed() for each in values])
    return bool(len(known) and known.min() > 0 and known.max() >= 10 * known.min())


def curve_window(
    curves: Mapping[str, list[list[float]]],
) -> tuple[tuple[float, float], list[str]]:
    """The range in which methods come to differ: that of the second half of the epochs.

    A method is left outside, as one that diverged should be, where without it the range is less
    than a fifth; most of the methods stay.

    Args:
        curves: For each method, each seed's values, one an epoch; NaN where there is none.

    Returns:
        The range, with a little room on either side, and the methods that lie outside of it.

    Example:
        >>> curve_window({"a": [[10.0, 80.0, 90.0, 91.0]], "b": [[20.0, 70.0, 80.0, 90.0]]})
        ((79.45, 91.55), [])
        >>> curve_window({"a": [[3.0, 2.0]], "b": [[3.0, 2.5]], "c": [[900.0, 800.0]]})[1]
        ['c']
    """
    late = {
        method: [
            value
            for seed in seeds
            for value in (seed[len(seed) // 2 :] if len(seed) >= _SHORTEST else seed)
            if math.isfinite(value)
        ]
        for method, seeds in curves.items()
    }
    within = [method for method, values in late.items() if values]
    outside = []
    while len(within) > max(2, len(late) // 2):
        furthest = min(within, key=lambda each: _width(late, [m for m in within if m != each]))
        others = [method for method in within if method != furthest]
        if _BEYOND * _width(late, others) >= _width(late, within):
            break
        within = others
        outside.append(furthest)
    values = [value for method in within for value in late[method]]
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    return (low - room, high + room), outside


def _width(late: Mapping[str, list[float]], methods: list[str]) -> float:
    values = [value for method in methods for value in late[method]]
    return max(values) - min(values)
