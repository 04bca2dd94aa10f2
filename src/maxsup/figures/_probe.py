"""How well a linear probe does on its validation part, by how strongly it is penalised."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from maxsup.figures._panel import GRID, method_style, panel


class ProbeCurve(NamedTuple):
    """A group's probes."""

    number: int
    """The group's index, which decides its colour."""
    label: str
    accuracy: Sequence[float]
    """In percent, for each l2; the mean over seeds."""
    chosen: Sequence[tuple[float, float]]
    """The l2 that each seed chose, and its accuracy in percent."""


def probe_figure(
    name: str,
    title: str,
    l2: Sequence[float],
    curves: Sequence[ProbeCurve],
    narrow: tuple[float, float],
) -> str:
    """Draw the validation accuracy over l2, with what was chosen marked.

    Args:
        name: A name that no other picture of the page has.
        title: What is learnt.
        l2: The grid, ascending.
        curves: One for each group.
        narrow: The ends of the narrow range, which is shaded.

    Returns:
        The picture as SVG.
    """
    said = "; ".join(
        f"{each.label} {max(each.accuracy):.1f} % at most, chosen at "
        + " and ".join(f"{value:.0e}" for value, _ in each.chosen)
        for each in curves
    )
    with panel(name, f"Validation accuracy over l2: {said}.", title=title, height=260) as drawn:
        drawn.axes.axvspan(*narrow, color=GRID, alpha=0.5, linewidth=0)
        for each in curves:
            style = method_style(each.number)
            drawn.axes.plot(
                l2, each.accuracy, color=style.colour, linestyle=style.dashes, linewidth=1.8
            )
            for value, accuracy in each.chosen:
                drawn.axes.plot(
                    [value], [accuracy], color=style.colour, marker=style.marker, markersize=8
                )
        drawn.axes.set_xscale("log")
        first, last = (math.log10(each) for each in (min(l2), max(l2)))
        ticks = range(math.ceil(first - 1e-9), math.floor(last + 1e-9) + 1, 3)
        drawn.axes.set_xticks([10.0**each for each in ticks], [f"1e{each}" for each in ticks])
        drawn.axes.minorticks_off()
        drawn.axes.set_xlim(min(l2) / 2, max(l2) * 2)
        drawn.axes.set_xlabel("l2 (weak to strong)")
        drawn.axes.set_ylabel("validation accuracy (%)")
        low, high = drawn.axes.get_ylim()
        # Nothing lies beyond, but a marker at the end needs room.
        drawn.axes.set_ylim(max(low, -2), min(high, 102))
    return drawn.svg
