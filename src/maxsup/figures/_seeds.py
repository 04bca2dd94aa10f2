"""A measure of each seed, and its difference to the baseline, as rows of dots."""

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from maxsup.figures._panel import INK, PAPER, SOFT, method_style, panel
from maxsup.figures._text import in_lines

_ROW = 30
_LINE = 12
_AROUND = 64


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
    shown = "; ".join(f"{labels[name]} {mean:.4g}" for name, mean in means.items())
    with panel(
        "seeds",
        f"{measure} of each seed, by method. Means: {shown}.",
        height=_height(labels),
    ) as drawn:
        axes = drawn.axes
        for seed in sorted({seed for of in values.values() for seed in of}):
            points = [(values[n][seed], rows[n]) for n in labels if seed in values.get(n, {})]
            axes.plot(*zip(*points, strict=True), color=SOFT, linewidth=0.9, alpha=0.55, zorder=1)
        for number, name in enumerate(labels):
            style = method_style(number)
            dots = list(values.get(name, {}).values())
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
        _finish(axes, named, f"{unit} against the baseline")
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
    axes.margins(x=0.08)
    axes.set_xlabel(x_label)
