"""Recipes: how models are trained, one short file each.

To add one, write a file with a ``RECIPE`` and a docstring that gives the command and the accuracy
to expect, and add its line to ``_MODULES``. A recipe for data of any size has a ``RULE`` beside it.
"""

import difflib
import inspect
from types import ModuleType

from maxsup.recipes import (
    ade20k_upernet_deit_small,
    camvid_upernet,
    cars_resnet50,
    cifar10_lt_resnet32,
    cifar100_mobilenetv2,
    cifar100_resnet18,
    cifar100_resnet50,
    cifar100_resnet101,
    cub_resnet50,
    digits,
    finetune,
    finetune_segmentation,
    imagenet_deit_small,
    imagenet_ffcv_resnet18,
    imagenet_mobilenetv2,
    imagenet_resnet18,
    imagenet_resnet50,
    imagenet_resnet101,
    imagenet_torchvision_v1,
    small_images,
)
from maxsup.recipes._fitted import Rule
from maxsup.recipes._recipe import Recipe
from maxsup.recipes._without_effect import settings_without_effect

__all__ = [
    "Recipe",
    "Rule",
    "all_recipes",
    "get_recipe",
    "recipe_page",
    "rule_of",
    "settings_without_effect",
]

_MODULES: tuple[ModuleType, ...] = (
    digits,
    small_images,
    finetune,
    cifar100_resnet18,
    cifar100_resnet50,
    cifar100_resnet101,
    cifar100_mobilenetv2,
    imagenet_resnet18,
    imagenet_resnet50,
    imagenet_resnet101,
    imagenet_mobilenetv2,
    imagenet_torchvision_v1,
    imagenet_ffcv_resnet18,
    imagenet_deit_small,
    cub_resnet50,
    cars_resnet50,
    cifar10_lt_resnet32,
    ade20k_upernet_deit_small,
    camvid_upernet,
    finetune_segmentation,
)
_BY_NAME: dict[str, ModuleType] = {module.RECIPE.name: module for module in _MODULES}


def all_recipes() -> tuple[Recipe, ...]:
    """Every recipe.

    >>> [recipe.name for recipe in all_recipes()][:2]
    ['digits', 'small-images']
    """
    return tuple(module.RECIPE for module in _MODULES)


def get_recipe(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        ValueError: There is none; the message lists those there are.

    >>> get_recipe("cifar100-resnet18").milestones
    (60, 120, 160)
    """
    _check(name)
    recipe: Recipe = _BY_NAME[name].RECIPE
    return recipe


def rule_of(name: str) -> Rule | None:
    """How a recipe is fitted to the size of the data; none where it is the same for all.

    Raises:
        ValueError: There is no such recipe.

    >>> rule_of("finetune").batch_sizes, rule_of("digits")
    ((16, 32), None)
    """
    _check(name)
    rule: Rule | None = getattr(_BY_NAME[name], "RULE", None)
    return rule


def recipe_page(name: str) -> str:
    """What a recipe's file says of it: the command, the accuracy to expect, what differs.

    Raises:
        ValueError: There is no such recipe.

    >>> recipe_page("digits").splitlines()[0]
    'The embedded data: 1,797 grey 8×8 digits, offline, in seconds.'
    """
    _check(name)
    return inspect.cleandoc(_BY_NAME[name].__doc__ or "")


def _check(name: str) -> None:
    if name not in _BY_NAME:
        close = difflib.get_close_matches(name, _BY_NAME, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"No recipe is called {name!r}.{hint} There are: {', '.join(_BY_NAME)}.")
