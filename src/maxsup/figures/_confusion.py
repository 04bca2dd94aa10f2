"""Which classes are taken for which others."""

from collections.abc import Sequence

from maxsup.figures._panel import SOFT, method_style, panel
from maxsup.figures._text import in_lines, shorten_apart

_LARGEST = 0.92
"""Side of the largest mark, in rows."""
_NAME = 12
_TITLE = 32
"""Characters of a title that fit on a line."""
_LINE = 15
"""Height of a line of it, in CSS pixels."""
_AXES = 205
"""About the side of the axes, in the picture's pixels."""


def confusion_figure(
    name: str,
    title: str,
    number: int,
    confusions: Sequence[tuple[int, int, float]],
    classes: Sequence[str],
    top: float,
) -> str:
    """Draw a square for each confusion, whose area is how frequent it is.

    Args:
        name: A name that no other picture of the page has.
        title: The method's label.
        number: The method's index in the study, which decides its colour.
        confusions: True class, predicted class, and the fraction of the true class's images.
        classes: The classes' names, a few.
        top: The fraction of the largest square, the same for all methods.

    Returns:
        The picture as SVG.
    """
    count = len(classes)
    shown = "; ".join(
        f"{classes[true]} for {classes[predicted]} {100 * fraction:.1f} %"
        for true, predicted, fraction in confusions[:5]
    )
    heading = in_lines(title, _TITLE)
    with panel(
        name,
        f"Confusions of {title}, true class for predicted class: {shown or 'none'}.",
        height=320 + _LINE * heading.count("\n"),
    ) as drawn:
        axes = drawn.axes
        # Above the names of the classes too, which may take half of the width.
        drawn.figure.suptitle(heading, x=0.01, ha="left", fontsize=12)
        if confusions:
            largest = (_LARGEST * _AXES / count) ** 2
            axes.scatter(
                [predicted for _, predicted, _ in confusions],
                [true for true, _, _ in confusions],
                s=[largest * min(1.0, fraction / top) for *_, fraction in confusions],
                marker="s",
                color=method_style(number).colour,
                linewidth=0,
                zorder=2,
            )
        axes.plot([-0.5, count - 0.5], [-0.5, count - 0.5], color=SOFT, linewidth=0.8, zorder=1)
        names = shorten_apart(classes, _NAME)
        upright = max(map(len, names)) > 2
        axes.set_xticks(range(count), names, rotation=90 if upright else 0)
        axes.set_yticks(range(count), names)
        axes.set_xlim(-0.5, count - 0.5)
        axes.set_ylim(count - 0.5, -0.5)
        axes.tick_params(length=0, labelsize=11 if count <= 12 else 9)
        axes.set_xlabel("predicted")
        axes.set_ylabel("true")
    return drawn.svg
