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

from .conftest import with_nothing_finished
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
    assert contents(render_report(results)) == [section.anchor for section in STUDY_PAGE]
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
