import ast
import io
from pathlib import Path

from maxsup import figures
from maxsup.figures._panel import in_lines
from maxsup.recipes import get_recipe
from maxsup.training import recipe_curves


def test_figures_import_no_other_room() -> None:
    for path in Path(figures.__file__).parent.glob("*.py"):
        imported = [
            name
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in (
                [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else [alias.name for alias in node.names]
            )
        ]
        ours = [name for name in imported if name.split(".")[0] == "maxsup"]
        assert all(name.startswith("maxsup.figures") for name in ours), (path.name, ours)


def test_draw_recipe_curves_writes_a_row_for_each() -> None:
    resized, as_they_are = get_recipe("imagenet-ffcv-resnet18"), get_recipe("digits")
    heights = []
    for recipes in ([resized], [resized, as_they_are]):
        file = io.BytesIO()
        figures.draw_recipe_curves([recipe_curves(recipe) for recipe in recipes], file, dpi=50)
        picture = file.getvalue()
        assert picture.startswith(b"\x89PNG")
        width, height = (int.from_bytes(picture[start : start + 4]) for start in (16, 20))
        assert width == 550
        heights.append(height)
    assert heights == [90, 155]


def test_recipe_curves_follow_the_recipe() -> None:
    recipe = get_recipe("imagenet-ffcv-resnet18")
    curves = recipe_curves(recipe)
    assert len(curves.epochs) == len(curves.learning_rate) == len(curves.coefficient)
    assert curves.epochs[0] == 0
    assert recipe.epochs - 1 < curves.epochs[-1] < recipe.epochs
    assert curves.side is not None
    assert [curves.side[0], curves.side[-1]] == [
        recipe.resolution(0),
        recipe.resolution(recipe.epochs - 1),
    ]
    assert recipe_curves(get_recipe("digits")).side is None


def test_labels_of_two_strengths_are_told_apart() -> None:
    labels = {
        "a": "Margin-based label smoothing, α 0.1 → 0.2",
        "b": "Margin-based label smoothing, α 0.1 → 0.3",
    }
    written = [in_lines(label, 18).replace("\n", " ") for label in labels.values()]
    assert written == [*labels.values()]
    assert all(len(line) <= 18 for label in labels.values() for line in in_lines(label, 18).split())
    assert in_lines("x" * 100, 18).endswith("…")
