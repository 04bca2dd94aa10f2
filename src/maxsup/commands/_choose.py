"""The recipe of a command line that names none, or one that is fitted to the data."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from maxsup.data import DataSettings
from maxsup.recipes import rule_of

if TYPE_CHECKING:
    from maxsup.training import Choice


def choice_for(
    recipe: str | None, name: str, data: DataSettings, changes: Mapping[str, Any]
) -> "Choice | None":
    """The recipe for the data, where it is not one that is the same for all.

    Args:
        recipe: What the command line names: a recipe, or the settings file of a run.
        name: Of the data.
        data: What else the command line says of it.
        changes: What it says of the recipe.

    Raises:
        ValueError: There is no such recipe or data, or no such model or weights.
    """
    if recipe is None and name == "digits":
        return None
    if recipe is not None and (recipe.endswith(".json") or rule_of(recipe) is None):
        return None
    from maxsup.training import choose_recipe

    return choose_recipe(replace(data, name=name), recipe, **changes)
