"""The sections on calibration and on selection."""

import re

import pytest

from maxsup import figures
from maxsup.report import render_report
from maxsup.results import Results, numbers

from .test_page import Page


def section(results: Results, anchor: str) -> str:
    html = render_report(results)
    found = re.search(rf'<section aria-labelledby="{anchor}">.*?</section>', html, re.DOTALL)
    return found[0] if found else ""


def facts(results: Results, name: str) -> dict[str, object]:
    return next(dict(each) for each in results["measures"] if each["name"] == name)


def test_calibration_shows_each_quantity_before_and_after(results: Results) -> None:
    text = Page(section(results, "calibration")).all_text()
    for name in ("nll", "brier", "ece", "overconfidence", "underconfidence", "ece_smooth"):
        before, after = (facts(results, f"test_{name}{end}") for end in ("", "_scaled"))
        for method in ("baseline", "label-smoothing", "maxsup"):
            first = results["summary"][f"test_{name}"][method]
            second = results["summary"][f"test_{name}_scaled"][method]
            pair = (
                f"{numbers.mean_and_std(first, before)} → "  # type: ignore[arg-type]
                f"{numbers.mean_and_std(second, after)}"  # type: ignore[arg-type]
            )
            assert pair in text
    assert "Temperature" in text


@pytest.mark.parametrize(
    ("validation", "words"),
    [(0, "cross-fitted: the test set was cut into two halves"), (200, "200 validation images")],
)
def test_calibration_says_on_what_the_temperature_was_fitted(
    results: Results, validation: int, words: str
) -> None:
    results["data"]["validation"] = validation
    assert words in Page(section(results, "calibration")).all_text()


def test_selection_shows_the_curves_and_the_numbers(results: Results) -> None:
    html = section(results, "selective")
    assert html.count('role="img"') == 1
    assert "Risk against coverage" in html
    for label in ("AURC", "AUGRC", "AUROC", "Coverage at 1 % risk", "Coverage at 5 % risk"):
        assert label in html
    for run in results["runs"]:
        assert run["risk_coverage"] is not None
        assert len(run["risk_coverage"]) == 100
        accuracy = run["values"]["test_accuracy"]
        assert accuracy is not None
        assert run["risk_coverage"][-1] == pytest.approx(1 - accuracy, abs=1e-6)


def test_details_stand_in_their_sections_and_not_in_the_large_table(results: Results) -> None:
    table = section(results, "table")
    for measure in results["measures"]:
        shown = f'popovertarget="term-{measure["name"]}"' in table
        assert shown != measure["detail"], measure["name"]
    # But a primary measure does.
    detail = next(each for each in results["measures"] if each["name"] == "test_ece_scaled")
    results["measures"].remove(detail)
    results["measures"].insert(0, detail)
    assert "ECE, fitted T" in section(results, "table")


def test_sections_are_left_out_where_runs_have_no_such_numbers(results: Results) -> None:
    for run in results["runs"]:
        run["risk_coverage"] = None
    results["measures"] = [each for each in results["measures"] if not each["detail"]]
    assert section(results, "calibration") == section(results, "selective") == ""
    assert section(results, "reliability")


def test_risk_coverage_figure_says_what_is_to_be_seen() -> None:
    svg = figures.risk_coverage_figure(
        "a", {"one": [[0.0, 10.0], [0.0, 20.0]], "two": [[5.0, 12.0]]}, {"one": "A", "two": "B"}
    )
    assert "A 0 % of 15 %; B 5 % of 12 %" in svg
