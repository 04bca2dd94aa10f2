"""The section on classes and images."""

import re
from statistics import fmean

import pytest

from maxsup.report.sections.classes import CLASSES
from maxsup.results import Analysis, Results, analyse_again

from .conftest import with_hostile_names
from .test_page import Page


def section(results: Results) -> str:
    rendered = CLASSES.render(results)
    return "" if rendered is None else str(rendered.body)


def test_every_class_has_its_accuracy_and_its_difference(results: Results) -> None:
    found = results["per_class"]
    assert found is not None
    rows = re.findall(r"<tr role.*?</tr>", section(results), re.DOTALL)[1:]
    assert len(rows) == 3
    base = found["right"]["baseline"]
    for method, row in zip(("baseline", "label-smoothing", "maxsup"), rows, strict=True):
        cells = re.findall(r"<td.*?</td>", row, re.DOTALL)
        assert len(cells) == len(found["images"]) == 10
        for index, (images, cell) in enumerate(zip(found["images"], cells, strict=True)):
            right = [of_seed[index] for of_seed in found["right"][method]]
            text = Page(cell).all_text()
            assert f" {100 * fmean(right) / images:.1f}" in text
            if method != "baseline":
                both = zip(right, base, strict=True)
                mean = 100 * fmean(a - b[index] for a, b in both) / images
                shown = text.replace("−0.0", f"{mean:+.1f}")
                assert re.search(rf"{re.escape(f'{mean:+.1f}'.replace('-', '−'))} \[[+−]", shown)


def test_an_interval_that_ends_where_accuracy_does_has_both_ends(results: Results) -> None:
    """Of three seeds that differ much, it is wider on one side of the mean than on the other."""
    found = results["per_class"]
    assert found is not None
    count = found["images"][0]
    for position in range(3):
        found["right"]["baseline"][position][0] = count
        found["right"]["maxsup"][position][0] = count if position == 0 else 0
    assert re.search(r"−\d+\.\d \[−100\.0 to +\+\d+\.\d\]", Page(section(results)).all_text())


def test_right_answers_add_up_to_the_accuracy(results: Results) -> None:
    found = results["per_class"]
    assert found is not None
    for run in results["runs"]:
        position = found["seeds"][run["method"]].index(run["seed"])
        right = sum(found["right"][run["method"]][position])
        assert right / sum(found["images"]) == pytest.approx(run["values"]["test_accuracy"])


def test_images_stand_under_the_method_that_is_right(results: Results) -> None:
    found = results["per_class"]
    assert found is not None
    found["differing"]["maxsup"]["baseline"] = 30
    found["shown"] = [
        {
            "id": number,
            "true": 3,
            "picture": "data:image/png;base64,AAAA",
            "right": ["maxsup"],
            "wrong": {"baseline": 8},
        }
        for number in range(9)
    ]
    html = section(results)
    heading = html.index("MaxSup right, Baseline wrong: 30 images")
    assert html.count('alt="Test image ') == 6
    assert heading < html.index("Test image 0, 3; Baseline takes it for 8")
    # Another question to the same file shows them too.
    again = analyse_again(results, Analysis("maxsup"))
    html = section(again)
    assert "MaxSup right, Baseline wrong: 30 images" in html
    assert "difference to MaxSup in points" in html


def test_of_many_classes_those_that_differ_most_are_shown(results: Results) -> None:
    found = results["per_class"]
    assert found is not None
    results["data"]["classes"] = [f"class {number}" for number in range(1000)]
    found["images"] = [10] * 1000
    for method, shift in (("baseline", 0), ("label-smoothing", 1), ("maxsup", 2)):
        found["right"][method] = [
            [5 + (shift if k < 12 else -shift if k >= 990 else 0) for k in range(1000)]
        ] * 3
    html = section(results)
    (first, second) = re.findall(r"<tbody>.*?</tbody>", html, re.DOTALL)
    for part, difference in ((first, "10.0"), (second, "20.0")):
        rows = re.findall(r"<tr>.*?</tr>", part, re.DOTALL)
        assert len(rows) == 20
        assert all(f"+{difference}" in row for row in rows[:10])
        assert all(f"−{difference}" in row for row in rows[10:])
    assert "confusion-0" not in html


def test_without_outputs_there_is_no_section_and_names_are_escaped(results: Results) -> None:
    html = section(with_hostile_names(results))
    assert "<script" not in html
    assert html
    results["per_class"] = None
    assert section(results) == ""
    del results["per_class"]
    assert section(results) == ""
