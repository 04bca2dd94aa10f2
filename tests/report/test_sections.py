import copy
import dataclasses
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import maxsup
from maxsup.report import render_report
from maxsup.report.sections import STUDY_PAGE
from maxsup.results import Results

from .conftest import with_nothing_finished, with_one_seed, with_tuning
from .test_page import Page


def contents(html: str) -> list[str]:
    """The anchors of the page's list of contents."""
    return [
        str(attributes["href"]).removeprefix("#")
        for tag, attributes in Page(html).tags
        if tag == "a" and attributes.get("class") != "skip"
    ]


def sections(html: str) -> list[str]:
    """The anchors of the page's sections."""
    return [str(a["aria-labelledby"]) for tag, a in Page(html).tags if tag == "section"]


def test_sections_are_each_listed_in_the_order_of_the_page(variant_html: str) -> None:
    listed = contents(variant_html)
    assert listed == sections(variant_html)
    assert listed == [section.anchor for section in STUDY_PAGE if section.anchor in listed]


def test_sections_without_anything_to_show_are_left_out(results: Results) -> None:
    # The study is of images with one label each.
    everything = [section.anchor for section in STUDY_PAGE if section.anchor != "segmentation"]
    assert contents(render_report(with_tuning(copy.deepcopy(results)))) == everything
    untuned = [anchor for anchor in everything if anchor != "tuning"]
    assert contents(render_report(results)) == untuned
    nothing = render_report(with_nothing_finished(results))
    assert contents(nothing) == ["table", "measured", "settings", "repeat"]


@pytest.mark.parametrize("section", STUDY_PAGE, ids=lambda section: section.anchor)
def test_section_has_a_file_and_a_template_of_its_name(section: object) -> None:
    report = Path(maxsup.__file__).parent / "report"
    anchor = section.anchor  # type: ignore[attr-defined]
    assert (report / "sections" / f"{anchor}.py").is_file()
    assert (report / "templates" / "sections" / f"{anchor}.html.j2").is_file()


_NEWCOMER = """
from maxsup.report.sections._shared import StudySection
from maxsup.results import Results


def _content(results: Results) -> dict[str, object] | None:
    return {"seeds": results["seeds"]} if len(results["seeds"]) > 1 else None


NEWCOMER = StudySection(
    anchor="newcomer", heading="New", title="Something new & more", content=_content
)
"""
_PROGRAM = """
import json, sys
from maxsup.report import write_report
results = json.load(open("results.json", encoding="utf-8"))
write_report(results, "several.html")
results["seeds"] = [0]
write_report(results, "one.html")
"""


def test_section_that_is_added_stands_on_the_page_and_in_its_contents(
    results: Results, tmp_path: Path
) -> None:
    """In a copy of the package, to which a newcomer adds a file, its template and one line."""
    package = tmp_path / "maxsup"
    shutil.copytree(
        Path(maxsup.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__")
    )
    report = package / "report"
    (report / "sections" / "newcomer.py").write_text(_NEWCOMER)
    (report / "templates" / "sections" / "newcomer.html.j2").write_text(
        "<p>There were {{ seeds | length }} seeds.</p>\n"
    )
    page = report / "sections" / "__init__.py"
    text = page.read_text(encoding="utf-8")
    # The line, and its import.
    text = text.replace("    LOGITS,\n", "    LOGITS,\n    NEWCOMER,\n")
    text = text.replace(
        "\nSTUDY_PAGE:", "\nfrom maxsup.report.sections.newcomer import NEWCOMER\n\nSTUDY_PAGE:"
    )
    page.write_text(text, encoding="utf-8")
    (tmp_path / "results.json").write_text(json.dumps(results), encoding="utf-8")

    subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        check=True,
        timeout=240,
    )
    several = (tmp_path / "several.html").read_text(encoding="utf-8")
    listed = contents(several)
    assert listed == sections(several)
    assert listed[listed.index("logits") + 1] == "newcomer"
    assert '<li><a href="#newcomer">New</a></li>' in several
    assert '<h2 id="newcomer">Something new &amp; more</h2>' in several
    assert "<p>There were 3 seeds.</p>" in several
    one = (tmp_path / "one.html").read_text(encoding="utf-8")
    assert "newcomer" not in one
    assert "Something new" not in one


def test_settings_say_what_differs_from_the_listed_recipe(results: Results) -> None:
    from maxsup.recipes import get_recipe

    text = " ".join(Page(render_report(results)).all_text().split())
    assert "epochs 3 (instead of 15)" in text
    assert "batch size 256 (instead of 64)" in text
    assert text.count("(instead of ") == 2
    assert text.index("(instead of") < text.index("All settings of the recipe")
    adapted = get_recipe("cifar100-resnet18").adapted(epochs=30)
    results["recipe"] = json.loads(json.dumps(dataclasses.asdict(adapted)))
    text = Page(render_report(results)).all_text()
    assert "milestones 9, 18, 24 (instead of 60, 120, 160)" in text
    results["recipe"]["name"] = "mine"
    assert "(instead of " not in Page(render_report(results)).all_text()


def test_other_test_images_stand_beside_the_seeds(results: Results) -> None:
    from maxsup.results import numbers

    assert results["images"] is not None
    contrast, evidence = results["contrasts"][0], results["images"]["contrasts"][0]
    text = " ".join(Page(render_report(results)).all_text().split())
    both = (numbers.interval(each, results["measures"][0]) for each in (contrast, evidence))
    assert " ".join(both) in text
    results["images"]["contrasts"] = []
    results["images"]["reasons"] = ["ECE is no mean over images."]
    text = " ".join(Page(render_report(results)).all_text().split())
    assert "What other test images would give cannot be told: ECE is no mean over images." in text
    results["images"] = None
    assert "images" not in contents(render_report(results))


def test_one_seed_has_a_test_of_its_two_models(results: Results) -> None:
    text = " ".join(Page(render_report(with_one_seed(results))).all_text().split())
    assert "MaxSup and Baseline 12 7 0.360" in text
    assert "One seed says nothing of the methods." in text


def test_mechanism_is_drawn_of_the_methods_that_recorded_it(results: Results) -> None:
    html = render_report(results)
    assert 'id="mechanism"' in html
    drawn = [
        f"{name} over the epochs. At the end: Baseline"
        for name in (
            "Wrong in training, %",
            "Error enhancement, for α = 1",
            "Logit gap where wrong",
        )
    ]
    assert all(each in html for each in drawn)
    assert "Mixup" not in html[html.index('id="mechanism"') : html.index('id="reliability"')]
    results["recipe"]["mixup"] = 0.2
    assert "Images are mixed (Mixup, CutMix)" in render_report(results)
    for run in results["runs"]:
        for row in run["history"]:
            for name in [name for name in row if name.startswith("train_")]:
                if run["method"] == "baseline" or name == "train_logit_gap_wrong":
                    del row[name]
    html = render_report(results)
    assert "Wrong in training, % over the epochs. At the end: Label smoothing" in html
    assert "Logit gap where wrong" not in html


def with_failures(results: Results) -> Results:
    """A study in which MaxSup fails with seed 1, and label smoothing with seed 2."""
    from maxsup.results import Analysis, analyse_again

    for run in results["runs"]:
        if (run["method"], run["seed"]) in (("maxsup", 1), ("label-smoothing", 2)):
            run.update(status="failed", cause="TrainingDiverged: no", fingerprint=None)
            run.update(values={}, history=[], reliability=None, risk_coverage=None)
    return analyse_again(results, Analysis("label-smoothing"))


def test_failures_are_in_the_table_with_the_seeds_that_are_left(results: Results) -> None:
    text = " ".join(Page(render_report(with_failures(results))).all_text().split())
    assert [text.count(f"Failed runs {count} of 3") for count in (0, 1)] == [1, 2]
    assert "(without seed 1)" in text
    assert "(without seed 2)" in text
    # Of MaxSup and label smoothing one seed alone can be compared, fewer than either's mean is of.
    assert "(seed 0)" in text
    assert "A method that fails is not better for its survivors" in text


def test_no_row_of_failures_where_nothing_failed(results: Results) -> None:
    assert "Failed runs" not in render_report(results)


def test_failures_are_in_the_terminals_table_and_in_a_papers(results: Results) -> None:
    from rich.console import Console

    from maxsup.report import markdown_table, results_table

    failed = with_failures(results)
    console = Console(width=120)
    with console.capture() as capture:
        console.print(results_table(failed))
    assert "failed" in capture.get().split("conclusion")[1].splitlines()[0]
    assert "1 of 3" in capture.get()
    head, _, *rows = markdown_table(failed).splitlines()
    assert head.endswith("| Failed |")
    assert [row.split("|")[-2].strip() for row in rows[:3]] == ["0 of 3", "1 of 3", "1 of 3"]
    assert "(without seed 1)" in rows[2]
