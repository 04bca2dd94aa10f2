"""The call that repeats a study in Python."""

import dataclasses
from pathlib import Path

from maxsup.recipes import Recipe, all_recipes
from maxsup.study._settings import StudySettings


def python_call(settings: StudySettings, directory: Path, plugins: tuple[str, ...] = ()) -> str:
    """What to write in Python to repeat a study, with the settings that are no defaults.

    >>> from maxsup.data import DataSettings
    >>> from maxsup.recipes import get_recipe
    >>> recipe = dataclasses.replace(get_recipe("digits"), epochs=3)
    >>> print(python_call(StudySettings(DataSettings("digits"), recipe), Path("runs/digits")))
    compare(StudySettings(data=DataSettings(name='digits'), recipe=replace(get_recipe('digits'), \
    epochs=3), baseline='baseline'), 'runs/digits')
    """
    parts = [
        f"data={_changed(settings.data)}",
        f"recipe={_recipe(settings.recipe)}",
        *_changes(settings, leave_out=("data", "recipe")),
    ]
    more = f", plugins={plugins!r}" if plugins else ""
    return f"compare(StudySettings({', '.join(parts)}), {str(directory)!r}{more})"


def _recipe(recipe: Recipe) -> str:
    named = {each.name: each for each in all_recipes()}
    if recipe.name not in named:
        return _changed(recipe)
    changes = _changes(recipe, before=named[recipe.name])
    known = f"get_recipe({recipe.name!r})"
    return f"replace({known}, {', '.join(changes)})" if changes else known


def _changed(value: object) -> str:
    return f"{type(value).__name__}({', '.join(_changes(value))})"


def _changes(
    value: object, *, before: object | None = None, leave_out: tuple[str, ...] = ()
) -> list[str]:
    """The fields of a dataclass that differ from another's, or its defaults, as arguments."""
    return [
        f"{field.name}={found!r}"
        for field in dataclasses.fields(value)  # type: ignore[arg-type]
        if field.name not in leave_out
        and (found := getattr(value, field.name))
        != (field.default if before is None else getattr(before, field.name))
    ]
