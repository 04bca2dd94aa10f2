"""The kind of training that a recipe is for."""

from maxsup.recipes import Recipe
from maxsup.training._classification import Classification
from maxsup.training._segmentation import Segmentation
from maxsup.training._task import Task

_CLASSIFICATION = Classification()


def task_of(recipe: Recipe) -> Task:
    """What a recipe trains a model for."""
    return Segmentation(recipe.auxiliary) if recipe.is_segmentation else _CLASSIFICATION
