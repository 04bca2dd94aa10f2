import base64
import errno
import hashlib
import io
import itertools
import os
import re
import uuid
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console

from maxsup._places import as_place
from maxsup.report import render_report, results_table, write_report
from maxsup.results import Results, numbers

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
        if not {"style", "script"} & {*self._open}:
            self.text.append(data)

    def all_text(self) -> str:
        return " ".join(" ".join(self.text).split())


def test_page_is_well_formed_in_every_shape(variant_html: str) -> None:
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


def test_page_loads_nothing_and_runs_its_own_script_alone(variant_html: str) -> None:
    page = Page(variant_html)
    (script,) = re.findall(r"<script>(.*?)</script>", variant_html, flags=re.DOTALL)
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert ("script", {}) in page.tags
    for tag, attributes in page.tags:
        for name in ("src", "href", "xlink:href", "srcset", "action", "data"):
            value = attributes.get(name)
            if value is not None:
                assert value.startswith(("#", "data:,", "data:image/")), (tag, name, value)
        assert not [name for name in attributes if name.startswith("on")]
    policy = next(a["content"] for t, a in page.tags if t == "meta" and "http-equiv" in a)
    assert policy is not None
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy == (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
        f"script-src 'sha256-{digest}'"
    )
    for word in ("fetch", "XMLHttp", "import(", "innerHTML", "eval", "http", "localStorage"):
        assert word not in script


def test_page_escapes_names(results: Results) -> None:
    html = render_report(with_hostile_names(results))
    assert html.count("<script") == 1
    text = Page(html).all_text()
    assert " ".join(HOSTILE.split()) in text


def test_page_figures_are_xml_with_a_description(variant: Results, variant_html: str) -> None:
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


def test_page_has_every_mean_and_difference(results: Results) -> None:
    text = Page(render_report(results)).all_text()
    for measure in results["measures"]:
        for summary in results["summary"][measure["name"]].values():
            assert numbers.mean_and_std(summary, measure) in text
            if summary["difference"] is not None:
                if measure["detail"] and f"{measure['name']}_scaled" in results["summary"]:
                    # The page says how methods differ after the temperature.
                    continue
                assert numbers.number(summary["difference"]["mean"], measure, signed=True) in text
                if measure is not results["measures"][0]:
                    assert numbers.interval(summary["difference"], measure) in text
    for contrast in results["contrasts"][:2]:
        assert numbers.interval(contrast, results["measures"][0]) in text


def test_page_begins_with_the_verdict(results: Results) -> None:
    text = without_spaces(Page(render_report(results)).all_text())
    sentence, notes = results["verdict"]["sentence"], results["verdict"]["notes"]
    positions = [text.index(without_spaces(part)) for part in (sentence, *notes)]
    assert positions == sorted(positions)
    assert positions[-1] < text.index("Seedbyseed") < text.index("Themeasures")


def without_spaces(text: str) -> str:
    """A text, however it is broken into lines and elements."""
    return "".join(text.split())


def test_page_concludes_on_the_primary_measure_alone_and_in_words(results: Results) -> None:
    html = render_report(results)
    assert html.count('class="value conclusion"') == len(results["methods"]) - 1
    table = html[html.index('class="methods short"') :]
    rows = re.findall(r"<tr role=\"row\".*?</tr>", table, flags=re.DOTALL)[1:]
    for method, row in zip(results["methods"], rows, strict=False):
        text = Page(row).all_text()
        assert method["label"] in text
        if method["name"] == results["baseline"]:
            assert 'class="value">baseline<' in row
            continue
        assert numbers.conclusion(results, method["name"]) in text
        assert numbers.against_baseline(results, method["name"]).split(", ")[1] in text
    assert not any("conclusion" in row for row in rows[len(results["methods"]) :])


def test_page_of_one_seed_has_no_interval_no_bold_and_says_so(results: Results) -> None:
    html = render_report(with_one_seed(results))
    text = Page(html).all_text()
    assert "one seed allows no interval" in text
    assert "±" not in text.split("The measures")[1].split("How it was measured")[0].replace(
        "Mean ±", ""
    )


def test_page_lists_failures_with_their_causes(results: Results) -> None:
    text = Page(render_report(with_nothing_finished(results))).all_text()
    assert text.count("TrainingDiverged: no") == 9
    assert "maxsup/seed-1/failure.txt" in text


def test_write_report_writes_the_same_bytes_again(results: Results, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_report(results, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("kind", ["path", "string", "url"])
def test_write_report_makes_the_directory(results: Results, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "missing" / "as well" / "page.html"
    named: dict[str, Path | str] = {"path": path, "string": str(path), "url": f"file://{path}"}
    write_report(results, named[kind])
    assert path.read_text(encoding="utf-8") == render_report(results)


def test_write_report_writes_to_a_store(results: Results) -> None:
    url = f"memory://{uuid.uuid4().hex}/page.html"
    write_report(results, url)
    assert as_place(url).read_text(encoding="utf-8") == render_report(results)


def test_write_report_leaves_the_old_page_where_it_fails(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    page = tmp_path / "page.html"
    with pytest.raises(OSError, match=r"No space left.*nothing was written"):
        write_report(results, page)
    page.write_text("old")
    with pytest.raises(OSError, match="its former version is intact"):
        write_report(results, page)
    assert page.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_write_report_under_a_file_fails(results: Results, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        write_report(results, tmp_path / "file" / "page.html")


def test_results_table_shows_the_headline_measures(results: Results) -> None:
    def heads() -> list[str]:
        console = Console(width=300, file=io.StringIO(), record=True)
        console.print(results_table(results))
        second = console.export_text().split("┏")[2].splitlines()[1]
        return [cell.strip() for cell in second.strip("┃").split("┃")]

    assert heads() == [
        "method",
        "NLL, fitted T ↓",
        "AURC, % ↓",
        "Confidence where wrong, % ↓",
        "R² (test)",
        "Training accuracy, %",
    ]
    for measure in results["measures"]:
        measure["headline"] = measure["name"] in ("test_accuracy", "test_brier")
    assert heads() == ["method", "Brier score ↓"]


def test_results_table_of_long_names_stays_a_table(results: Results) -> None:
    long = "margin-label-smoothing:alpha=0.125,margin=12.5"
    results["methods"][1]["name"] = long
    for of_method in results["summary"].values():
        of_method[long] = of_method["label-smoothing"]
    for contrast in results["contrasts"]:
        for side in ("method", "against"):
            if contrast[side] == "label-smoothing":
                contrast[side] = long
    console = Console(width=80, file=io.StringIO(), record=True)
    console.print(results_table(results))
    shown = console.export_text()
    assert shown.count("┃ method") == 3
    for part in shown.split("┃ method")[1:]:
        assert "margin-label-smoothing:" in part
        assert "alpha=0.125,margin=12.5" in part
    for measure in results["measures"]:
        if measure["headline"]:
            mean = results["summary"][measure["name"]][long]["mean"]
            assert f" {numbers.number(mean, measure)} " in shown


def test_results_table_has_the_pairs_without_the_baseline(results: Results) -> None:
    console = Console(width=300, file=io.StringIO(), record=True)
    console.print(results_table(results))
    (pair,) = (each for each in results["contrasts"] if each["against"] != "baseline")
    found = numbers.difference_and_interval(pair, results["measures"][0])
    shown = console.export_text().splitlines()
    assert f"MaxSup against Label smoothing: {found}; {pair['conclusion']}." in map(
        str.strip, shown
    )


def test_results_table_fits_80_columns(variant: Results) -> None:
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


@pytest.mark.parametrize("width", [20, 40, 60, 80, 200])
def test_terminal_table_cuts_off_nothing(results: Results, width: int) -> None:
    console = Console(width=width, file=io.StringIO(), record=True)
    console.print(results_table(results))
    text = console.export_text()
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width
    words = set(text.replace("│", " ").split())
    for measure in results["measures"]:
        if measure["headline"]:
            for method in results["methods"]:
                mean = results["summary"][measure["name"]][method["name"]]["mean"]
                assert numbers.number(mean, measure) in words, measure["name"]
