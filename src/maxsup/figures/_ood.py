"""How scores of known and of unknown classes are distributed."""

from collections.abc import Sequence

import numpy as np
from matplotlib.ticker import MaxNLocator

from maxsup.figures._panel import SOFT, method_style, panel


def scores_figure(
    name: str,
    title: str,
    number: int,
    edges: Sequence[float],
    known: Sequence[float],
    unknown: Sequence[float],
    *,
    score: str,
    window: tuple[float, float],
) -> str:
    """Draw two densities over each other, of known classes filled, of unknown ones as a line.

    Args:
        name: A name that no other picture of the page has.
        title: The group's label, with what else stands above the picture.
        number: The group's index, which decides its colour.
        edges: Edges of equal bins, one more than there are bins.
        known: Fraction of the images of known classes in each bin.
        unknown: The same of those of unknown ones.
        score: What is below the axis.
        window: The range of the axis, the same for all groups.

    Returns:
        The picture as SVG.
    """
    width = edges[1] - edges[0]
    both = float(np.minimum(known, unknown).sum())
    with panel(
        name,
        f"{score} of known and unknown classes under {title}: {100 * both:.0f} % of either lie "
        "where the other's do.",
        title=title,
        height=210,
    ) as drawn:
        colour = method_style(number).colour
        filled, line = (np.array(each) / width for each in (known, unknown))
        drawn.axes.stairs(filled, edges, fill=True, color=colour, alpha=0.35, label="known")
        drawn.axes.stairs(filled, edges, color=colour, linewidth=1.2)
        drawn.axes.stairs(line, edges, color=SOFT, linewidth=1.8, label="unknown")
        drawn.axes.set_xlim(*window)
        drawn.axes.set_ylim(0, 1.3 * max(filled.max(), line.max()))  # room for the legend
        drawn.axes.set_xlabel(score)
        drawn.axes.xaxis.set_major_locator(MaxNLocator(5))
        drawn.axes.set_ylabel("density")
        drawn.axes.set_yticks([])
        drawn.axes.legend(frameon=False, loc="upper left", ncols=2)
    return drawn.svg
