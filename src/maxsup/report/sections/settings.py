"""All settings of the study, the time it took, and the versions it ran with."""

import json
from dataclasses import MISSING, asdict, fields

from maxsup.recipes import Recipe, all_recipes
from maxsup.report.sections._shared import StudySection
from maxsup.results import Results


def _content(results: Results) -> dict[str, object]:
    listed = _listed(results)
    return {
        "results": results,
        "predictions": results.get("predictions"),
        "seconds": {"percent": False, "digits": 2},
        "is_listed": listed is not None,
        "changed": _changed(results, _defaults() if listed is None else listed),
    }


def _listed(results: Results) -> dict[str, object] | None:
    """What the recipe of that name says; none where none is listed under it."""
    name = str(results["recipe"].get("name"))
    named = {recipe.name: recipe for recipe in all_recipes()}.get(name)
    return None if named is None else asdict(named)


def _changed(results: Results, usual: dict[str, object]) -> dict[str, object]:
    """What the settings usually are that the study was trained with another value of."""
    # As JSON has it: lists for tuples.
    return {
        name: value
        for name, value in json.loads(json.dumps(usual)).items()
        if name in results["recipe"] and results["recipe"][name] != value
    }


def _defaults() -> dict[str, object]:
    """The values that a recipe's settings have unless it says otherwise."""
    return {field.name: field.default for field in fields(Recipe) if field.default is not MISSING}


SETTINGS = StudySection(anchor="settings", heading="Settings", title="Settings", content=_content)
