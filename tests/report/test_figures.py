import ast
import io
import re
import warnings
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from maxsup import figures
from maxsup.figures._text import in_lines, shorten_apart
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
    assert in_lines("x" * 100, 18).replace("\n", "") == "x" * 100


def test_names_are_never_cut_to_the_same_text() -> None:
    labels = [f"A loss whose name goes on for long and only then says {n}" for n in "abc"]
    labels += [f"{n} is how it begins, and then it goes on and on as others do" for n in "ab"]
    svg = figures.seeds_figure(
        {label: {0: 1.0} for label in labels},
        {label: label for label in labels},
        dict.fromkeys(labels, 1.0),
        "%",
    )
    written = " ".join(" ".join(texts(svg)).split())
    for label in labels:
        assert label in written
    for length in (8, 20, 34):
        cut = shorten_apart(labels, length)
        assert len({*cut}) == len(labels)
        assert all(len(each) <= length + 4 for each in cut)
    assert shorten_apart(["same " * 20] * 2, 10) == ["same same…"] * 2
    points, templates = [[[0.0, 0.0]]] * 3, [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
    drawn = texts(figures.projection_figure("p", "t", points, templates, labels[:3]))
    assert len({each for each in drawn if "…" in each}) == 3


def test_a_method_far_off_is_named_at_the_edge_and_leaves_the_others_their_room() -> None:
    values = {
        "a": {0: 94.0, 1: 95.0},
        "b": {0: 94.5, 1: 95.5},
        "c": {0: 93.5, 1: 95.2},
        "far": {0: 10.0, 1: 31.0, 2: 12.0},
    }
    labels = {name: name for name in values}
    means = {name: sum(of.values()) / len(of) for name, of in values.items()}
    seeds = figures.seeds_figure(values, labels, means, "%")
    assert "← 17.67" in texts(seeds)
    assert "far 17.67" in seeds  # to those who do not see it, too
    ticks = [float(each) for each in texts(seeds) if re.fullmatch(r"[\d.]+", each)]
    assert len(ticks) > 2
    assert min(ticks) > 92
    differences = {"b": (0.5, 0.2, 0.8), "c": (-0.2, -1.0, 0.6), "far": (77.5, 70.0, 85.0)}
    drawn = texts(figures.differences_figure(differences, labels, 0.5, "points"))
    assert "+77.5 →" in drawn
    below = figures.differences_figure(
        {**differences, "far": (-77.5, -85.0, -70.0)}, labels, 0.5, "points"
    )
    assert "← −77.5" in texts(below)
    # Where as many are here as there, neither is what is usual.
    halves = {name: values[name] for name in ("a", "b", "far")} | {"d": {0: 11.0}}
    drawn = texts(figures.seeds_figure(halves, {name: name for name in halves}, {}, "%"))
    assert not any("←" in each or "→" in each for each in drawn)


def test_confusions_are_squares_of_their_size() -> None:
    confusions = [(0, 1, 0.5), (2, 0, 0.125)]
    svg = figures.confusion_figure("c", "Mine", 0, confusions, ["cat", "dog", "owl"], 0.5)
    assert "cat for dog 50.0 %; owl for cat 12.5 %" in svg
    assert len(re.findall(r"<use [^>]*fill: var\(--m0\)", svg)) == 2 or svg.count("--m0") >= 1
    assert {"cat", "dog", "owl", "predicted", "true"} <= set(texts(svg))
    assert "none" in figures.confusion_figure("c", "Mine", 0, [], ["a", "b", "c"], 1.0)


def test_curve_window_leaves_out_what_diverged() -> None:
    usual = {f"m{n}": [[9.0, 3.0, 2.0, 1.0 + 0.1 * n], [8.0, 3.0, 2.1, 1.0]] for n in range(4)}
    (low, high), outside = figures.curve_window(usual)
    assert outside == []
    assert low < 1.0
    assert 2.1 < high < 3.0
    (_, high), outside = figures.curve_window({**usual, "far": [[9.0, 700.0, 650.0, 900.0]]})
    assert outside == ["far"]
    assert high < 3.0
    window, outside = figures.curve_window({"a": [[1.0]], "b": [[1.0]]})
    assert window[0] < 1.0 < window[1]


SPECIAL_NAMES = [
    "_nolegend_", "__init__", 'id="cat"', "url(#dog)", 'href="#x"', "a $x_1$ & $\\frac{1}$", "$",
    "<script>alert(1)</script>", "{{ 7*7 }}{% x %}", "dog 🐶", "猫", "كلب", "#010101",
    "'DejaVu Sans', x", "it's \"q\", 100%", "var(--ink)", "a  b",
]  # fmt: skip


def texts(svg: str) -> list[str]:
    """What is written in a picture, once it is markup no more."""
    return ["".join(node.itertext()) for node in ET.fromstring(svg).iter() if "text" in node.tag]


@pytest.mark.parametrize("name", SPECIAL_NAMES)
def test_names_come_out_whole_in_every_picture(name: str) -> None:
    """Warnings are errors here, so that a missing glyph would be one."""
    points = [[[0.0, 0.0], [1.0, 1.0]]] * 3
    templates, classes = [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [name, "b", "_c"]
    drawn = {
        "projection": figures.projection_figure("p", name, points, templates, classes),
        "seeds": figures.seeds_figure({"m": {0: 50.0}}, {"m": name[:18]}, {"m": 50.0}, "%"),
        "differences": figures.differences_figure(
            {"m": (1.0, 0.5, 1.5)}, {"m": name[:18]}, 0.5, "points"
        ),
        "curves": figures.curve_figure("c", name, {"m": [[1.0, 2.0]]}, {"m": name}),
        "reliability": figures.reliability_figure("r", name, 0, [1, 1], [0.2, 0.8], [0.1, 0.9]),
    }
    for kind, svg in drawn.items():
        expected = name[:18] if kind in ("seeds", "differences") else name
        assert expected in texts(svg), kind
        assert not re.search(r'\sid="(?![pcr]-|seeds-|differences-)', re.sub(">[^<]*<", "><", svg))
    assert {name, "b", "_c"} <= set(texts(drawn["projection"]))


def test_line_break_in_a_name_becomes_a_space() -> None:
    points, templates = [[[0.0, 0.0]]] * 3, [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
    svg = figures.projection_figure("p", "a\nb", points, templates, ["c\x1bd", "e\tf", "g"])
    assert {"a b", "c d", "e f", "g"} <= set(texts(svg))


def test_missing_glyphs_of_a_png_are_said_once() -> None:
    rows = [("mine 猫 🐶 猫 $x$", [0.0, 1.0], [0.1, 0.2], [0.1, 0.1], None)]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        figures.draw_recipe_curves(rows, io.BytesIO())
    said = [str(each.message) for each in caught]
    assert len(said) <= 1
    assert all("font has no 猫 🐶; boxes stand" in each for each in said)
