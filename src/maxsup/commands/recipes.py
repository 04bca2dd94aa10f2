"""``maxsup recipes``: how models can be trained."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import tyro

from maxsup.commands._command import SettingsCommand
from maxsup.commands._options import CommonOptions
from maxsup.recipes import Recipe, all_recipes, get_recipe, recipe_page


@dataclass(frozen=True)
class Options(CommonOptions):
    """List the recipes, or show one with all its settings and what is changed in them."""

    name: Annotated[tyro.conf.Positional[str | None], tyro.conf.arg(metavar="RECIPE")] = None
    """The recipe to show."""
    curves: Path | None = None
    """Draw learning rate, penalty and resolution into this PNG: of the recipe, or of all."""


def defaults(named: Options) -> tuple[Options, Recipe]:
    """What the command line is read on top of: the recipe that it names."""
    return Options(), get_recipe(named.name or "digits")


def run(options: Options, recipe: Recipe) -> int:
    """Print the list, or a recipe's page and settings; draw the curves if asked to."""
    if options.name is None:
        for each in all_recipes():
            print(f"{each.name:24} {recipe_page(each.name).splitlines()[0]}")
        print("\nmaxsup recipes NAME shows a recipe with all its settings.")
        if options.curves is not None:
            _write_curves(all_recipes(), options.curves)
        return 0
    print(recipe_page(recipe.name), end="\n\n")
    before = asdict(get_recipe(options.name))
    for name, value in asdict(recipe).items():
        mark = f"  (changed from {before[name]})" if value != before[name] else ""
        print(f"{name:22} {value}{mark}")
    if options.curves is not None:
        _write_curves([recipe], options.curves)
    return 0


def _write_curves(recipes: Sequence[Recipe], path: Path) -> None:
    from maxsup._files import atomic_write
    from maxsup.figures import draw_recipe_curves
    from maxsup.training import recipe_curves

    with atomic_write(path) as file:
        draw_recipe_curves([recipe_curves(recipe) for recipe in recipes], file)
    print(f"\nThe curves: {path}")


COMMAND = SettingsCommand(Options, defaults, run)
