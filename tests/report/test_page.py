import itertools
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console

from maxsup.report import render_report, results_table, write_report
from maxsup.results import Results, numbers
from maxsup.statistics import holds

from .conftest import HOSTILE, with_hostile_names, with_nothing_finished, with_one_seed

_VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """The page's elements, with a check that every one is closed where it should be."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.text.append(data)

    def all_text(self) -> str:
        return " ".join(" ".join(self.text).split())


def test_the_page_is_well_formed_in_every_shape(variant_html: str) -> None:
    page = Page(variant_html)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    for tag, attributes in page.tags:
        if tag == "a":
            assert str(attributes["href"]).removeprefix("#") in ids


def test_the_page_loads_nothing_and_runs_nothing(variant_html: str) -> None:
    page = Page(variant_html)
    assert "script" not in {tag for tag, _ in page.tags}
    for tag, attributes in page.tags:
        for name in ("src", "href", "xlink:href", "srcset", "action", "data"):
            value = attributes.get(name)
            if value is not None:
                assert value.startswith(("#", "data:,")), (tag, name, value)
        assert not [name for name in attributes if name.startswith("on")]
    policy = next(a["content"] for t, a in page.tags if t == "meta" and "http-equiv" in a)
    assert policy is not None
    assert policy.startswith("default-src 'none'")


def test_names_are_escaped(results: Results) -> None:
    html = render_report(with_hostile_names(results))
    assert "<script" not in html
    text = Page(html).all_text()
    assert " ".join(HOSTILE.split()) in text


def test_every_figure_is_xml_with_a_description(variant: Results, variant_html: str) -> None:
    figures = re.findall(r"<svg.*?</svg>", variant_html, flags=re.DOTALL)
    described = 0
    for figure in figures:
        root = ET.fromstring(figure)
        if root.get("role") == "img":
            assert len(root.get("aria-label", "")) > 20
            described += 1
        else:
            assert root.get("aria-hidden") == "true"
        assert "#0101" not in figure, "a colour was not replaced"
        assert "#0102" not in figure, "a colour was not replaced"
    finished = any(run["status"] == "finished" for run in variant["runs"])
    assert (described > 5) == finished


def test_every_mean_and_difference_is_on_the_page(results: Results) -> None:
    text = Page(render_report(results)).all_text()
    for measure in results["measures"]:
        for summary in results["summary"][measure["name"]].values():
            assert numbers.mean_and_std(summary, measure) in text
            if summary["difference"] is not None:
                assert numbers.number(summary["difference"]["mean"], measure, signed=True) in text
                assert numbers.interval(summary["difference"], measure) in text
                assert f"Holm {numbers.p_value(summary['difference']['p_t_holm'])}" in text


def test_the_verdict_comes_first(results: Results) -> None:
    text = Page(render_report(results)).all_text()
    sentence, notes = results["verdict"]["sentence"], results["verdict"]["notes"]
    places = [text.index(part) for part in (sentence, *notes)]
    assert places == sorted(places)
    assert places[-1] < text.index("Every measure")


def test_bold_is_what_holds(results: Results) -> None:
    cells = [a for t, a in Page(render_report(results)).tags if t == "td" and "data-method" in a]
    bold = [str(attributes.get("class") or "") == "holds" for attributes in cells]
    expected = [
        holds(results["summary"][measure["name"]][method["name"]]["difference"])
        for measure in results["measures"]
        for method in results["methods"]
    ]
    assert bold == expected
    assert any(bold)
    assert not all(bold)


def test_one_seed_has_no_interval_no_bold_and_says_so(results: Results) -> None:
    html = render_report(with_one_seed(results))
    text = Page(html).all_text()
    assert "one seed allows no interval and no p-value" in text
    assert 'class="holds"' not in html
    assert "±" not in text.split("Every measure")[1].split("How it was measured")[0].replace(
        "Mean ±", ""
    )


def test_failures_are_listed_with_their_causes(results: Results) -> None:
    text = Page(render_report(with_nothing_finished(results))).all_text()
    assert text.count("TrainingDiverged: no") == 9


def test_the_same_results_give_the_same_bytes(results: Results, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_report(results, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_page_that_cannot_be_written_leaves_the_old_one(results: Results, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nothing was written"):
        write_report(results, tmp_path / "missing" / "report.html")


def test_the_terminals_tables_fit_80_columns(variant: Results) -> None:
    console = Console(width=80, record=True, file=None, quiet=False)
    with console.capture() as capture:
        console.print(results_table(variant))
    shown = capture.get()
    assert max(len(line.rstrip()) for line in shown.splitlines()) <= 80
    primary = variant["measures"][0]
    for method in variant["methods"]:
        assert method["name"] in shown
        summary = variant["summary"][primary["name"]][method["name"]]
        assert numbers.mean_and_std(summary, primary) in shown
