"""How learning rate, coefficient and resolution run through a training."""

from typing import NamedTuple

from maxsup.methods import Training, build_criterion
from maxsup.recipes import Recipe
from maxsup.training._optimizer import learning_rate

_STEPS = 20
"""Points in each epoch; none of the curves has a shape that more of them would show."""


class RecipeCurves(NamedTuple):
    """What changes over the epochs of a recipe, at points that are evenly spaced."""

    name: str
    """The recipe's name."""
    epochs: list[float]
    """Epochs taken before each point, from 0."""
    learning_rate: list[float]
    """Learning rate at each point."""
    coefficient: list[float]
    """MaxSup's α at each point, as the method sets it by default."""
    side: list[float] | None
    """Side of the training images at each point, in pixels; none where they stay as they are."""


def recipe_curves(recipe: Recipe) -> RecipeCurves:
    """What a training with the recipe takes in each epoch; the values come from the same code.

    Args:
        recipe: The recipe to follow.

    Example:
        >>> from maxsup.recipes import get_recipe
        >>> curves = recipe_curves(get_recipe("cifar100-resnet18"))
        >>> curves.learning_rate[0], round(curves.coefficient[-1], 3), curves.epochs[-1]
        (0.1, 0.2, 199.95)
    """
    steps = range(recipe.epochs * _STEPS)
    return RecipeCurves(
        name=recipe.name,
        epochs=[step / _STEPS for step in steps],
        learning_rate=[learning_rate(recipe, step, _STEPS) for step in steps],
        coefficient=_coefficients(len(steps)),
        side=None
        if recipe.image_size is None
        else [float(recipe.resolution(step // _STEPS) or 0) for step in steps],
    )


def _coefficients(steps: int) -> list[float]:
    criterion = build_criterion(
        "maxsup", Training(num_classes=2, steps=steps, steps_per_epoch=_STEPS)
    )
    values = []
    for _ in range(steps):
        values.append(criterion.coefficients()["alpha"])
        criterion.step()
    return values
