"""What a search for the best strength found: the response to it, and what the budget brought."""

import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from matplotlib.ticker import FixedLocator, MaxNLocator, NullFormatter, NullLocator

from maxsup.figures._panel import INK, PAPER, method_style, panel


class ResponsePoint(NamedTuple):
    """One trial: where it stands, and what its seeds gave."""

    at: float
    """The coefficient that is drawn against."""
    line: float | None
    """What trials that are joined have in common, such as the learning rate; none for no line."""
    values: Sequence[float]
    """One for each seed."""
    is_chosen: bool


def response_figure(
    name: str, title: str, quantity: str, across: str, number: int, points: Sequence[ResponsePoint]
) -> str:
    """Draw what was chosen by against a coefficient: each seed, and the line through the means.

    Args:
        name: A name that no other picture of the page has.
        title: The method.
        quantity: What is drawn, with its unit.
        across: The coefficient.
        number: The method's index in the study.
        points: The trials that came to an end.

    Returns:
        The picture as SVG.
    """
    means = "; ".join(
        f"{each.at:g} {sum(each.values) / len(each.values):.4g}"
        + (" (chosen)" if each.is_chosen else "")
        for each in points
    )
    style = method_style(number)
    with panel(
        name, f"{quantity} against {across}, {title}: {means}.", title=f"{title}: {quantity}"
    ) as drawn:
        axes = drawn.axes
        by_line = sorted(points, key=lambda each: (each.line is None, each.line or 0.0, each.at))
        for line, group in itertools.groupby(by_line, key=lambda each: each.line):
            together = list(group)
            centre = [sum(each.values) / len(each.values) for each in together]
            if line is not None:
                axes.plot([each.at for each in together], centre, color=style.colour, linewidth=1.4)
            for each, mean in zip(together, centre, strict=True):
                axes.plot(
                    [each.at] * len(each.values),
                    each.values,
                    linestyle="none",
                    marker=style.marker,
                    markersize=3.5,
                    color=style.colour,
                    alpha=0.55,
                )
                axes.plot(
                    each.at,
                    mean,
                    marker=style.marker,
                    markersize=9 if each.is_chosen else 5.5,
                    color=style.colour,
                    markeredgecolor=INK if each.is_chosen else PAPER,
                    markeredgewidth=1.8 if each.is_chosen else 0.8,
                    zorder=3,
                )
        axes.set_xscale("log")
        places = sorted({each.at for each in points})
        # At most six labels, the outermost among them, or they would run into one another.
        step = max(1, -(-(len(places) - 1) // 5))
        axes.xaxis.set_major_locator(FixedLocator(places[::step]))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel(across)
    return drawn.svg


def budget_figure(
    name: str,
    title: str,
    curves: Mapping[str, Sequence[float]],
    labels: Mapping[str, str],
    numbers: Mapping[str, int],
) -> str:
    """Draw the expected best of 1, 2, … trials of each method.

    Args:
        name: A name that no other picture of the page has.
        title: The quantity that is drawn, with its unit.
        curves: For each method, the expectation for each budget from 1 on.
        labels: The methods' labels by name.
        numbers: The methods' indices in the study.

    Returns:
        The picture as SVG.
    """
    ends = "; ".join(
        f"{labels[method]} {curve[0]:.4g} of one trial, {curve[-1]:.4g} of {len(curve)}"
        for method, curve in curves.items()
    )
    with panel(name, f"{title}. {ends}.", title=title) as drawn:
        for method, curve in curves.items():
            style = method_style(numbers[method])
            drawn.axes.plot(
                range(1, len(curve) + 1),
                curve,
                color=style.colour,
                linestyle=style.dashes,
                linewidth=1.8,
                marker=style.marker,
                markersize=5,
                markevery=max(1, len(curve) // 8),
            )
        drawn.axes.set_xlabel("trials")
        drawn.axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    return drawn.svg
