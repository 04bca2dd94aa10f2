"""How learning rate, penalty and resolution run through trainings."""

import math
from collections.abc import Sequence
from typing import IO

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from maxsup.figures._text import missing_glyphs, shorten_apart

_WIDTH, _ROW = 11.0, 1.3  # inches

Row = tuple[str, Sequence[float], Sequence[float], Sequence[float], Sequence[float] | None]
"""A label; then, all of one length, epochs from 0, learning rates, coefficients, and sides of the
images in pixels, or none where the images are left as they are."""


def draw_recipe_curves(rows: Sequence[Row], file: IO[bytes], *, dpi: int = 110) -> None:
    """Draw the learning rate, MaxSup's α and the side of the images over the epochs, as a PNG.

    Args:
        rows: For each recipe its name, the epochs, and at these the learning rate, the coefficient
            and the side of the images in pixels (``None`` where they are left as they are), as
            :func:`maxsup.training.recipe_curves` computes them.
        file: Where the picture is written.
        dpi: Pixels per inch; the picture is eleven inches wide.

    Example:
        >>> import io
        >>> file = io.BytesIO()
        >>> draw_recipe_curves([("mine", [0.0, 0.5, 1.0], [0.1, 0.2, 0.0], [0.1] * 3, None)], file)
        >>> file.getvalue()[1:4]
        b'PNG'
    """
    # A recipe's name is no formula.
    with matplotlib.rc_context({"text.parse_math": False}), missing_glyphs(are_replaced=False):
        _figure(rows).savefig(file, format="png", dpi=dpi)


def _figure(rows: Sequence[Row]) -> Figure:
    figure = Figure(figsize=(_WIDTH, 0.5 + _ROW * len(rows)), layout="constrained")
    grid = figure.subplots(len(rows), 3, squeeze=False)
    for axes, title in zip(
        grid[0], ("learning rate", "α of MaxSup", "side of the images, pixels"), strict=True
    ):
        axes.set_title(title, loc="left", fontsize=10)
    names = shorten_apart([name for name, *_ in rows], 34)
    for panels, name, (_, epochs, learning_rates, coefficients, sides) in zip(
        grid, names, rows, strict=True
    ):
        _draw(panels[0], epochs, learning_rates)
        _draw(panels[1], epochs, coefficients)
        if sides is None:
            panels[2].text(
                0.5, 0.5, "as they are", transform=panels[2].transAxes, ha="center", va="center"
            )
            panels[2].set_yticks([])
        else:
            _draw(panels[2], epochs, sides)
        for axes in panels:
            axes.set_xlim(0, max(1, math.ceil(epochs[-1])))
            axes.tick_params(labelsize=8)
            axes.spines[["top", "right"]].set_visible(False)
        panels[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
    for axes in grid[-1]:
        axes.set_xlabel("epoch", fontsize=9)
    return figure


def _draw(axes: Axes, epochs: Sequence[float], values: Sequence[float]) -> None:
    axes.plot(epochs, values, color="#1f5fa8", linewidth=1.6)
    axes.set_ylim(0, 1.12 * max(values))
    axes.grid(alpha=0.3)
    axes.yaxis.set_major_formatter("{x:.3g}")
    lowest, highest = min(values), max(values)
    # The values that a reader looks for, unless they would stand in each other's way.
    axes.set_yticks([0.0, highest] if lowest < 0.3 * highest else sorted({0.0, lowest, highest}))
