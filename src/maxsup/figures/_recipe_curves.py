"""How learning rate, penalty and resolution run through a training."""

from collections.abc import Sequence
from typing import IO

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from maxsup.methods import Training, build_criterion
from maxsup.recipes import Recipe
from maxsup.training import learning_rate

_STEPS = 20
"""Drawn in each epoch; none of the curves has a shape that more of them would show."""
_WIDTH, _ROW = 11.0, 1.3  # inches


def draw_recipe_curves(recipes: Sequence[Recipe], file: IO[bytes], *, dpi: int = 110) -> None:
    """Draw the learning rate, MaxSup's α and the side of the images over the epochs, as a PNG.

    The values are those that a training takes: they come from the same code.

    Args:
        recipes: A row for each.
        file: Where the picture is written.
        dpi: Pixels per inch; the picture is eleven inches wide.

    Example:
        >>> import io
        >>> from maxsup.recipes import get_recipe
        >>> file = io.BytesIO()
        >>> draw_recipe_curves([get_recipe("digits")], file)
        >>> file.getvalue()[1:4]
        b'PNG'
    """
    figure = Figure(figsize=(_WIDTH, 0.5 + _ROW * len(recipes)), layout="constrained")
    rows = figure.subplots(len(recipes), 3, squeeze=False)
    for axes, title in zip(
        rows[0], ("learning rate", "α of MaxSup", "side of the images, pixels"), strict=True
    ):
        axes.set_title(title, loc="left", fontsize=10)
    for (rate, strength, side), recipe in zip(rows, recipes, strict=True):
        steps = range(recipe.epochs * _STEPS)
        epochs = [step / _STEPS for step in steps]
        _draw(rate, epochs, [learning_rate(recipe, step, _STEPS) for step in steps])
        _draw(strength, epochs, _strengths(recipe))
        if recipe.image_size is None:
            side.text(0.5, 0.5, "as they are", transform=side.transAxes, ha="center", va="center")
            side.set_yticks([])
        else:
            sides = [float(recipe.resolution(step // _STEPS) or 0) for step in steps]
            _draw(side, epochs, sides)
        for axes in (rate, strength, side):
            axes.set_xlim(0, recipe.epochs)
            axes.tick_params(labelsize=8)
            axes.spines[["top", "right"]].set_visible(False)
        rate.set_ylabel(recipe.name, rotation=0, ha="right", va="center", fontsize=9)
    for axes in rows[-1]:
        axes.set_xlabel("epoch", fontsize=9)
    figure.savefig(file, format="png", dpi=dpi)


def _strengths(recipe: Recipe) -> list[float]:
    steps = recipe.epochs * _STEPS
    criterion = build_criterion(
        "maxsup", Training(num_classes=2, steps=steps, steps_per_epoch=_STEPS)
    )
    values = []
    for _ in range(steps):
        values.append(criterion.coefficients()["alpha"])
        criterion.step()
    return values


def _draw(axes: Axes, epochs: Sequence[float], values: Sequence[float]) -> None:
    axes.plot(epochs, values, color="#1f5fa8", linewidth=1.6)
    axes.set_ylim(0, 1.12 * max(values))
    axes.grid(alpha=0.3)
    axes.yaxis.set_major_formatter("{x:.3g}")
    lowest, highest = min(values), max(values)
    # The values that a reader looks for, unless they would stand in each other's way.
    axes.set_yticks([0.0, highest] if lowest < 0.3 * highest else sorted({0.0, lowest, highest}))
