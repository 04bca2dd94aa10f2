"""How sure a model is where it is right and where it is wrong."""

import numpy as np

from maxsup.figures._distribution import distribution_figure
from maxsup.figures._panel import SOFT, method_style, panel


def confidence_figure(
    name: str,
    title: str,
    number: int,
    right: list[float],
    wrong: list[float],
    top: float,
) -> str:
    """Draw how the confidence is distributed, right answers filled and wrong ones as a line.

    Args:
        name: A name that no other picture of the page has.
        title: The group's label.
        number: The group's index, which decides its colour.
        right: Fractions of the right answers in equal bins of [0, 1].
        wrong: The same of the wrong ones.
        top: The highest of all groups, which share their axis.

    Returns:
        The picture as SVG.
    """
    edges = np.linspace(0, 1, len(right) + 1)
    centres = (edges[:-1] + edges[1:]) / 2
    means = [float((centres * np.array(each)).sum()) for each in (right, wrong)]
    with panel(
        name,
        f"Confidence under {title}: mean about {means[0]:.2f} where right, {means[1]:.2f} where "
        "wrong.",
        title=title,
        height=210,
    ) as drawn:
        colour = method_style(number).colour
        drawn.axes.stairs(right, edges, fill=True, color=colour, alpha=0.35, label="right")
        drawn.axes.stairs(wrong, edges, color=SOFT, linewidth=1.8, label="wrong")
        drawn.axes.set_xlim(0, 1)
        drawn.axes.set_ylim(0, 1.2 * top)  # room for the legend
        drawn.axes.set_xlabel("confidence")
        drawn.axes.set_ylabel("fraction")
        drawn.axes.legend(frameon=False, loc="upper left", ncols=2)
    return drawn.svg


def gap_figure(
    name: str, title: str, number: int, edges: list[float], fractions: list[float], top: float
) -> str:
    """Draw how far wrong answers' logits lie above the true class's.

    Args:
        name: A name that no other picture of the page has.
        title: The group's label.
        number: The group's index, which decides its colour.
        edges: Edges of the bins, one more than there are bins.
        fractions: Fractions of the wrong answers in each bin.
        top: Upper end of the axis, the same for all groups.

    Returns:
        The picture as SVG.
    """
    centres = (np.array(edges[:-1]) + np.array(edges[1:])) / 2
    mean = float((centres * np.array(fractions)).sum())
    return distribution_figure(
        name,
        f"z max minus z of the true class under {title}, where it is wrong: mean {mean:.2f}.",
        title=f"{title} (mean {mean:.2f})",
        number=number,
        edges=edges,
        heights=fractions,
        top=top,
        x_label="z_max − z_gt where wrong",
        y_label="fraction",
    )
