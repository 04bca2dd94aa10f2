import copy
import json
import pickle
from html.parser import HTMLParser
from pathlib import Path

from maxsup.results import Results, numbers, read_results, shown, write_results


class Table(HTMLParser):
    """The rows of a table, what is bold in it, and the text outside, with all elements closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.bold: list[str] = []
        self.outside = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "td" in self._open or "th" in self._open:
            self.rows[-1][-1] += data
        else:
            self.outside += data
        if "strong" in self._open:
            self.bold.append(data)


def html_of(results: Results) -> str:
    found = results._repr_html_()  # type: ignore[attr-defined]
    assert isinstance(found, str)
    return found


def test_shown_results_are_the_same_dictionary(results: Results) -> None:
    plain = copy.deepcopy(results)
    found = shown(results)
    assert found == plain
    assert plain == found
    assert results == plain
    assert json.loads(json.dumps(found)) == json.loads(json.dumps(plain))
    for copied in (pickle.loads(pickle.dumps(found)), copy.deepcopy(found)):
        assert copied == plain
        assert html_of(copied) == html_of(found)


def test_shown_results_are_a_table_in_a_notebook(results: Results) -> None:
    table = Table(html_of(shown(results)))
    assert table.outside == "MaxSup & co are better."
    head, baseline, maxsup = table.rows
    # The Brier score is no headline measure.
    assert head == [
        "method",
        "Accuracy, % ↑",
        "difference, 95 % interval",
        "conclusion",
        "NLL ↓",
    ]
    assert baseline == ["Cross <entropy>", "71.00 ± 1.00", "baseline", "", "1.10 ± 0.10"]
    interval = numbers.interval(results["contrasts"][0], results["measures"][0])
    assert interval
    assert maxsup == ["MaxSup", "76.17 ± 1.26", f"+5.17, {interval}", "better", "0.90 ± 0.00"]
    assert table.bold == [table.outside]


def test_shown_results_of_one_seed_have_no_interval(results: Results) -> None:
    for of_method in results["summary"].values():
        for summary in of_method.values():
            summary.update(n=1, std=None)
            if summary["difference"] is not None:
                summary["difference"].update(pairs=1, low=None, high=None, p_t=None)
    results["contrasts"][0].update(low=None, high=None, conclusion="undecided")
    table = Table(html_of(shown(results)))
    assert table.rows[-1] == ["MaxSup", "76.17", "+5.17", "undecided", "0.90"]


def test_shown_results_where_nothing_finished(results: Results) -> None:
    for of_method in results["summary"].values():
        for summary in of_method.values():
            summary.update(n=0, mean=None, std=None, difference=None)
    results["contrasts"][0].update(mean=None, low=None, high=None, conclusion="undecided")
    table = Table(html_of(shown(results)))
    assert table.rows[1:] == [
        ["Cross <entropy>", "–", "baseline", "", "–"],
        ["MaxSup", "–", "–", "undecided", "–"],
    ]


def test_shown_results_have_a_short_repr(results: Results) -> None:
    assert repr(shown(results)) == "<Results on pets & <friends>: 2 methods, 3 seeds>"


def test_read_results_are_shown(results: Results, tmp_path: Path) -> None:
    write_results(results, tmp_path)
    assert html_of(read_results(tmp_path / "results.json")) == html_of(shown(results))
