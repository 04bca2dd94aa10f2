"""A page for each recipe: its text, and its settings where they differ from the usual ones."""

from dataclasses import fields
from pathlib import Path

from _pages._files import write_files
from maxsup.recipes import Recipe, all_recipes, recipe_page


def write(docs: Path) -> None:
    """Write the pages, and the table of all of them."""
    pages, rows = {}, []
    for recipe in all_recipes():
        title, _, text = recipe_page(recipe.name).partition("\n")
        parts = (f"# {recipe.name}", title, _as_markdown(text), "## Settings", _settings(recipe))
        pages[f"{recipe.name}.md"] = "\n\n".join(parts)
        rows.append(f"| [`{recipe.name}`](../recipes/cards/{recipe.name}.md) | {title} |")
    write_files(docs / "recipes" / "cards", pages)
    table = ["| recipe | for |", "|---|---|", *rows]
    write_files(docs / "generated" / "recipes", {"table.md": "\n".join(table) + "\n"})


def _as_markdown(text: str) -> str:
    """A docstring's text, whose code stands between two backticks each."""
    return text.strip().replace("``", "`")


def _settings(recipe: Recipe) -> str:
    """All of them as a table; each is an option of ``train`` and ``compare``."""
    rows = [
        f"| `--{field.name.replace('_', '-')}` | {_shown(getattr(recipe, field.name))} |"
        for field in fields(recipe)
        if field.name != "name"
    ]
    return "\n".join(["| option | value |", "|---|---|", *rows]) + "\n"


def _shown(value: object) -> str:
    return "–" if value is None or value == () else f"`{value}`"
