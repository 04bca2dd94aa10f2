"""All settings of the study, the time it took, and the versions it ran with."""

import json
from dataclasses import asdict

from maxsup.recipes import all_recipes
from maxsup.report.sections._shared import StudySection
from maxsup.results import Results


def _content(results: Results) -> dict[str, object]:
    return {
        "results": results,
        "predictions": results.get("predictions"),
        "seconds": {"percent": False, "digits": 2},
        "as_listed": _as_listed(results),
    }


def _as_listed(results: Results) -> dict[str, object]:
    """What the recipe of that name says where the study was trained with another setting."""
    named = {recipe.name: recipe for recipe in all_recipes()}.get(
        str(results["recipe"].get("name"))
    )
    if named is None:
        return {}
    # As JSON has it: lists for tuples.
    listed = json.loads(json.dumps(asdict(named)))
    return {
        name: value
        for name, value in listed.items()
        if name in results["recipe"] and results["recipe"][name] != value
    }


SETTINGS = StudySection(anchor="settings", heading="Settings", title="Settings", content=_content)
