"""The recipe of a command line that names none, or one that is fitted to the data."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from maxsup.data import DataSettings
from maxsup.recipes import Recipe, get_recipe, rule_of

if TYPE_CHECKING:
    from maxsup.training import Choice


_MASKS = "finetune-segmentation"


def check_partial_weights(recipe: Recipe, places: Collection[str | None]) -> None:
    """See that weights that may fit in part are there, where backbones are named beside a recipe.

    Args:
        recipe: The recipe.
        places: Where the weights of the backbones are.

    Raises:
        ValueError: There are none.
    """
    # Those of a classifier stand in the recipe itself, which has seen to it.
    if recipe.partial_weights and recipe.is_segmentation and not {*places} - {None, "timm"}:
        raise ValueError(
            "partial_weights has no effect without weights that are a file. Leave "
            "--partial-weights out, or name such a backbone."
        )


def check_backbone(places: Collection[str], changes: Mapping[str, Any]) -> None:
    """See that weights are not named twice, and that a model that is named is theirs.

    Args:
        places: Where the weights of the backbones are.
        changes: What the command line says of the recipe.

    Raises:
        ValueError: They are, it is not, or there are no such weights.
    """
    if places and "weights" in changes:
        raise ValueError("--backbone and --weights both say what to start from; name one of them.")
    if changes.get("model") is None:
        return
    from maxsup.models import TIMM, expected_by

    for place in places:
        if place != TIMM:
            # A file that says nothing is of the model that is named.
            expected_by(changes["model"], place)


def choice_for(
    recipe: str | None,
    name: str,
    data: DataSettings,
    changes: Mapping[str, Any],
    *,
    masks: bool = False,
) -> "Choice | None":
    """The recipe for the data, where it is not one that is the same for all.

    Args:
        recipe: What the command line names: a recipe, or the settings file of a run.
        name: Of the data.
        data: What else the command line says of it.
        changes: What it says of the recipe.
        masks: Whether a backbone is named, which is for segmentation.

    Raises:
        ValueError: There is no such recipe or data, or no such model or weights.
    """
    if recipe is None and (masks or changes.get("head") is not None):
        from maxsup.training import Choice

        note = f"Recipe: {_MASKS}, as images with masks are asked for. --recipe names another."
        return Choice(get_recipe(_MASKS).adapted(**changes), (note,))
    if recipe is None and name == "digits":
        return None
    if recipe is not None and (recipe.endswith(".json") or rule_of(recipe) is None):
        return None
    from maxsup.training import choose_recipe

    return choose_recipe(replace(data, name=name), recipe, **changes)
