"""A measure of each seed, and its difference to the baseline, as rows of dots.

A row that lies so far off that the others would shrink to one line, as after a training that came
to nothing, is named at the edge instead of being drawn to scale.
"""

from collections.abc import Mapping, Sequence
from statistics import median

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from maxsup.figures._panel import INK, PAPER, SOFT, method_style, panel
from maxsup.figures._text import in_lines

_ROW = 30
_LINE = 12
_AROUND = 64
_SPARE = 0.08
"""How much of the axis is left free at either end."""
_FAR = 8
"""From so many times the usual spread on, a row is too far off to be drawn to scale."""


def seeds_figure(
    values: Mapping[str, Mapping[int, float]],
    labels: Mapping[str, str],
    means: Mapping[str, float],
    measure: str,
) -> str:
    """Draw a measure of each seed: a row of dots for each method, the dots of a seed joined.

    Args:
        values: The measure as it is shown, by method, then by seed.
        labels: The methods' labels by name, in order.
        means: Its means by method.
        measure: What it is called, with its unit.

    Returns:
        The picture as SVG.
    """
    rows = {name: row for row, name in enumerate(labels)}
    dots_of = {name: list(values.get(name, {}).values()) for name in labels}
    far = far_rows(dots_of)
    near = [name for name in labels if name not in far]
    shown = "; ".join(f"{labels[name]} {mean:.4g}" for name, mean in means.items())
    with panel(
        "seeds",
        f"{measure} of each seed, by method. Means: {shown}.",
        height=_height(labels),
    ) as drawn:
        axes = drawn.axes
        for seed in sorted({seed for of in values.values() for seed in of}):
            points = [(values[n][seed], rows[n]) for n in near if seed in values.get(n, {})]
            axes.plot(*zip(*points, strict=True), color=SOFT, linewidth=0.9, alpha=0.55, zorder=1)
        for number, (name, dots) in enumerate(dots_of.items()):
            style = method_style(number)
            axes.plot(
                dots,
                [rows[name]] * len(dots),
                linestyle="",
                marker=style.marker,
                markersize=6,
                color=style.colour,
                markeredgecolor=PAPER,
                markeredgewidth=0.7,
                zorder=2,
            )
            if name in means:
                axes.plot(
                    [means[name]], [rows[name]], marker="|", markersize=20, color=INK, zorder=3
                )
        _finish(axes, labels, measure)
        _name_far_rows(axes, dots_of, far, {name: f"{mean:.4g}" for name, mean in means.items()})
    return drawn.svg


def differences_figure(
    differences: Mapping[str, tuple[float, float | None, float | None]],
    labels: Mapping[str, str],
    margin: float,
    unit: str,
) -> str:
    """Draw the differences to the baseline with their 95 % intervals.

    Args:
        differences: Mean, lower and upper end as they are shown, by method.
        labels: The methods' labels by name, in order.
        margin: The largest difference that does not matter, likewise.
        unit: What a difference is counted in.

    Returns:
        The picture as SVG.
    """
    named = {name: label for name, label in labels.items() if name in differences}
    numbers = {name: number for number, name in enumerate(labels)}
    shown = "; ".join(
        f"{named[name]} {mean:+.2f}"
        + (f", {low:+.2f} to {high:+.2f}" if low is not None and high is not None else "")
        for name, (mean, low, high) in differences.items()
    )
    with panel(
        "differences",
        f"Difference to the baseline in {unit}: {shown}.",
        height=_height(named),
    ) as drawn:
        axes = drawn.axes
        axes.axvspan(-margin, margin, color=SOFT, alpha=0.18, linewidth=0, zorder=0)
        axes.axvline(0, color=INK, linewidth=1, zorder=1)
        for row, name in enumerate(named):
            mean, low, high = differences[name]
            style = method_style(numbers[name])
            if low is not None and high is not None:
                axes.plot([low, high], [row, row], color=style.colour, linewidth=2.5, zorder=2)
            axes.plot(
                [mean],
                [row],
                marker=style.marker,
                markersize=8,
                color=style.colour,
                markeredgecolor=PAPER,
                zorder=3,
            )
        ends = {name: [each for each in differences[name] if each is not None] for name in named}
        _finish(axes, named, f"{unit} against the baseline")
        _name_far_rows(
            axes,
            ends,
            far_rows(ends),
            {name: f"{mean:+.4g}".replace("-", "−") for name, (mean, _, _) in differences.items()},
            also=(0.0,),
        )
    return drawn.svg


def _height(labels: Mapping[str, str]) -> int:
    """The picture's height, in which each row has room for the lines of its label."""
    lines = max((in_lines(label, 18).count("\n") + 1 for label in labels.values()), default=1)
    return _AROUND + max(_ROW, _LINE * lines + 4) * len(labels)


def _finish(axes: Axes, labels: Mapping[str, str], x_label: str) -> None:
    names = [in_lines(label, 18) for label in labels.values()]
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.margins(x=_SPARE)
    axes.set_xlabel(x_label)


def _name_far_rows(
    axes: Axes,
    rows: Mapping[str, Sequence[float]],
    far: Mapping[str, int],
    means: Mapping[str, str],
    also: Sequence[float] = (),
) -> None:
    """Leave far rows outside of the axis, and say with an arrow at its edge where they are.

    Args:
        axes: Where they are drawn.
        rows: What each spans, from the top.
        far: Which of them lie far off, and on which side.
        means: Each row's mean, as it is written.
        also: What the axis has to have in it.
    """
    if not far:
        return
    near = [*also, *(value for name in rows if name not in far for value in rows[name])]
    room = _SPARE * (max(near) - min(near))
    axes.set_xlim(min(near) - room, max(near) + room)
    for row, name in enumerate(rows):
        if name in far:
            left = far[name] < 0
            axes.text(
                0.01 if left else 0.99,
                row,
                f"← {means[name]}" if left else f"{means[name]} →",
                transform=axes.get_yaxis_transform(),
                ha="left" if left else "right",
                va="center",
                fontsize="small",
                color=INK,
            )


def far_rows(rows: Mapping[str, Sequence[float]]) -> dict[str, int]:
    """The rows all of whose values lie far off, and on which side: −1 below, 1 above the others.

    Far is more than eight times as far from the median row as rows are wide and apart, at their
    median, which fewer than half of them can be. Of one value a row, whose widths are unknown, none
    is.

    >>> far_rows({"a": [94.0, 95.0], "b": [95.0, 96.0], "c": [93.0, 96.0], "d": [10.0, 30.0]})
    {'d': -1}
    >>> far_rows({"a": [94.0, 95.0], "b": [10.0, 30.0]})
    {}
    >>> far_rows({"a": [71.7], "b": [71.75], "c": [72.2]})
    {}
    """
    filled = {name: values for name, values in rows.items() if values}
    if max(map(len, filled.values()), default=0) < 2:
        return {}
    middles = {name: median(values) for name, values in filled.items()}
    middle = median(middles.values())
    apart = median(abs(each - middle) for each in middles.values())
    wide = median(max(values) - min(values) for values in filled.values())
    limit = _FAR * (apart + wide)
    return {
        name: -1 if max(values) < middle else 1
        for name, values in filled.items()
        if limit and (max(values) < middle - limit or min(values) > middle + limit)
    }
