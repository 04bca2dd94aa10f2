"""Features on the plane through three class templates (MaxSup paper, Appendix G)."""

from matplotlib.ticker import MaxNLocator

from maxsup.figures._panel import INK, PAPER, method_style, panel
from maxsup.figures._text import shorten_apart


def projection_figure(
    name: str,
    title: str,
    points: list[list[list[float]]],
    templates: list[list[float]],
    classes: list[str],
    *,
    limits: tuple[float, float, float, float] | None = None,
) -> str:
    """Draw one dot for each test sample, a shape for each class, and the template of each class.

    Args:
        name: A name that no other picture of the page has.
        title: The method's label.
        points: Coordinates (x, y) of each class's samples.
        templates: Coordinates (x, y) of each class's template.
        classes: The three classes' names.
        limits: Ends of the two axes (left, right, bottom, top), for pictures that share them; by
            default those of the points.

    Returns:
        The picture as SVG.
    """
    shown = ", ".join(f"{len(of)} of {label}" for of, label in zip(points, classes, strict=True))
    with panel(
        name,
        f"Features of three classes under {title}, projected on a plane: {shown}.",
        title=title,
        height=300,
    ) as drawn:
        axes = drawn.axes
        dots = []
        for number, of_class in enumerate(points, start=1):
            style = method_style(number)
            dots += axes.plot(
                [point[0] for point in of_class],
                [point[1] for point in of_class],
                linestyle="",
                marker=style.marker,
                markersize=5,
                color=style.colour,
                alpha=0.75,
                markeredgewidth=0,
            )
            axes.plot(
                [templates[number - 1][0]],
                [templates[number - 1][1]],
                linestyle="",
                marker=style.marker,
                markersize=10,
                color=style.colour,
                markeredgecolor=INK,
                markeredgewidth=1.6,
            )
        axes.set_aspect("equal", adjustable="datalim" if limits is None else "box")
        if limits is not None:
            axes.set_xlim(limits[0], limits[1])
            axes.set_ylim(limits[2], limits[3])
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.yaxis.set_major_locator(MaxNLocator(5))
        legend = axes.legend(
            dots,
            [""] * len(dots),
            loc="upper center",
            bbox_to_anchor=(0.5, -0.1),
            # Side by side where that fits the panel.
            ncols=3 if sum(map(len, classes)) <= 22 else 1,
            frameon=False,
            handletextpad=0.1,
            columnspacing=1.0,
            facecolor=PAPER,
        )
        # Written afterwards: a legend leaves out what is called by a name that begins with _.
        for text, label in zip(legend.get_texts(), shorten_apart(classes, 34), strict=True):
            text.set_text(label)
    return drawn.svg
