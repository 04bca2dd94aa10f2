"""The distribution of one number under one method."""

from maxsup.figures._panel import method_style, panel


def distribution_figure(
    name: str,
    description: str,
    *,
    title: str,
    number: int,
    edges: list[float],
    heights: list[float],
    top: float,
    x_label: str,
    y_label: str,
) -> str:
    """Draw a histogram, filled in the method's colour.

    Args:
        name: A name that no other picture of the page has.
        description: What is to be seen, for those who do not see it.
        title: Title above the axes.
        number: The method's index, which decides its colour.
        edges: Edges of the bins, one more than there are bins.
        heights: Height of each bin.
        top: Upper end of the axis, the same for all methods.
        x_label: What is below the axis.
        y_label: What is beside it.

    Returns:
        The picture as SVG.
    """
    with panel(name, description, title=title, height=210) as drawn:
        colour = method_style(number).colour
        drawn.axes.stairs(heights, edges, fill=True, color=colour, alpha=0.35)
        drawn.axes.stairs(heights, edges, color=colour, linewidth=1.4)
        drawn.axes.set_xlim(edges[0], edges[-1])
        drawn.axes.set_ylim(0, top)
        drawn.axes.set_xlabel(x_label)
        drawn.axes.set_ylabel(y_label)
    return drawn.svg
