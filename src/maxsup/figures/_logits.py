"""How a model's logits are distributed (MaxSup paper, Figure 2)."""

import numpy as np

from maxsup.figures._panel import method_style, panel


def logits_figure(
    name: str, title: str, number: int, edges: list[float], density: list[float], top: float
) -> str:
    """Draw the density of all logits.

    Args:
        name: A name that no other picture of the page has.
        title: The method's label.
        number: The method's index in the study, which decides its colour.
        edges: Edges of the bins, one more than there are bins.
        density: Density in each bin.
        top: Upper end of the axis, the same for all methods.

    Returns:
        The picture as SVG.
    """
    centres = (np.array(edges[:-1]) + np.array(edges[1:])) / 2
    mass = np.array(density) * np.diff(edges)
    mean = float((centres * mass).sum())
    spread = float(np.sqrt(((centres - mean) ** 2 * mass).sum()))
    with panel(
        name,
        f"Density of the logits of {title}: mean {mean:.2f}, standard deviation {spread:.2f}.",
        title=f"{title} (sd {spread:.2f})",
        height=210,
    ) as drawn:
        colour = method_style(number).colour
        drawn.axes.stairs(density, edges, fill=True, color=colour, alpha=0.35)
        drawn.axes.stairs(density, edges, color=colour, linewidth=1.4)
        drawn.axes.set_xlim(edges[0], edges[-1])
        drawn.axes.set_ylim(0, top)
        drawn.axes.set_xlabel("logit")
        drawn.axes.set_ylabel("density")
    return drawn.svg
