"""How a model's logits are distributed (MaxSup paper, Figure 2)."""

import numpy as np

from maxsup.figures._distribution import distribution_figure


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
    return distribution_figure(
        name,
        f"Density of the logits of {title}: mean {mean:.2f}, standard deviation {spread:.2f}.",
        title=f"{title} (sd {spread:.2f})",
        number=number,
        edges=edges,
        heights=density,
        top=top,
        x_label="logit",
        y_label="density",
    )
