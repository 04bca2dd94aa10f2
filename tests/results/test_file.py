import csv
import json
from pathlib import Path

import pytest

from maxsup.results import Results, read_results, write_results
from maxsup.results.schema import FORMAT
from maxsup.statistics import judge, summarise


def test_read_results_returns_what_was_written(results: Results, tmp_path: Path) -> None:
    write_results(results, tmp_path)
    for place in (tmp_path / "results.json", str(tmp_path / "results.json")):
        assert read_results(place) == results
    assert read_results((tmp_path / "results.json").as_uri()) == results


def test_read_results_completes_files_written_before_split_and_headline(
    results: Results, tmp_path: Path
) -> None:
    names = ("test_accuracy", "test_nll", "test_brier", "train_r2", "train_accuracy")
    template = results["measures"][0]
    measures = [
        {key: value for key, value in template.items() if key not in ("split", "headline")}
        | {"name": name}
        for name in names
    ]
    (tmp_path / "results.json").write_text(json.dumps({**results, "measures": measures}))
    read = read_results(tmp_path / "results.json")["measures"]
    assert [facts["name"] for facts in read] == list(names)
    assert [facts["split"] for facts in read] == ["test", "test", "test", "train", "train"]
    assert [facts["headline"] for facts in read] == [True, True, False, False, True]


def test_read_results_leaves_what_a_file_says_of_its_measures(
    results: Results, tmp_path: Path
) -> None:
    results["measures"][1].update(split="validation", headline=True)
    results["measures"][2].update(headline=False)
    write_results(results, tmp_path)
    assert read_results(tmp_path / "results.json")["measures"] == results["measures"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f'{{"format": {FORMAT + 1}}}', "written by a newer version of maxsup, in format"),
        ('{"format": 0}', "an earlier version.* in format 0.*Repeat the study's command"),
        ('{"format": "one"}', "names 'one' as its format.*Repeat the study's command"),
        ("{}", "holds no results"),
        ("[1, 2]", "holds no JSON object, but list"),
    ],
)
def test_read_results_refuses_another_format(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "results.json").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_results(tmp_path / "results.json")


def test_summary_has_a_row_for_each_measure_and_method(results: Results, tmp_path: Path) -> None:
    results["contrasts"].append({**results["contrasts"][0], "against": "other", "low": None})
    write_results(results, tmp_path)
    with (tmp_path / "summary.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["measure"], row["method"], row["against"]) for row in rows] == [
        ("test_accuracy", "baseline", ""),
        ("test_accuracy", "maxsup", "baseline"),
        ("test_accuracy", "maxsup", "other"),
        ("test_brier", "baseline", ""),
        ("test_brier", "maxsup", "baseline"),
        ("test_nll", "baseline", ""),
        ("test_nll", "maxsup", "baseline"),
    ]
    primary, contrast = rows[1], results["contrasts"][0]
    assert (int(primary["n"]), primary["failed"], primary["seeds"]) == (3, "0", "0 1 2")
    assert primary["paired_seeds"] == "0 1 2"
    assert float(primary["mean"]) == pytest.approx((0.75 + 0.76 + 0.775) / 3)
    assert float(primary["sd"]) == pytest.approx(0.0125831, rel=1e-5)
    assert [float(primary[key]) for key in ("difference", "low", "high")] == [
        contrast["mean"],
        contrast["low"],
        contrast["high"],
    ]
    assert (primary["conclusion"], rows[2]["low"]) == ("better", "")
    nll = results["summary"]["test_nll"]["maxsup"]["difference"]
    assert nll is not None
    assert [float(rows[-1][key]) for key in ("difference", "low", "high")] == [
        nll["mean"],
        nll["low"],
        nll["high"],
    ]
    assert rows[-1]["conclusion"] == ""


def test_read_results_completes_files_written_before_coefficients(
    results: Results, tmp_path: Path
) -> None:
    for method in results["methods"]:
        del method["coefficients"]  # type: ignore[misc]
    write_results(results, tmp_path)
    read = read_results(tmp_path / "results.json")
    assert [method["coefficients"] for method in read["methods"]] == [{}, {}]


def test_summary_says_what_failed_and_which_seeds_are_left(
    results: Results, tmp_path: Path
) -> None:
    from maxsup.results.schema import Run

    values = {"baseline": {0: 0.7, 1: 0.71, 2: 0.72}, "maxsup": {0: 0.75, 1: None, 2: 0.77}}
    results["runs"] = [
        Run(
            method=method,
            seed=seed,
            status="failed" if value is None else "finished",
            cause=None,
            fingerprint=None,
            values={},
            history=[],
            reliability=None,
            risk_coverage=None,
        )
        for method, of_method in values.items()
        for seed, value in of_method.items()
    ]
    results["summary"]["test_accuracy"] = summarise(values, "baseline")
    results["contrasts"] = judge(values, [("maxsup", "baseline")], margin=0.005)
    write_results(results, tmp_path)
    with (tmp_path / "summary.csv").open(newline="", encoding="utf-8") as file:
        baseline, maxsup = list(csv.DictReader(file))[:2]
    assert [baseline[key] for key in ("n", "failed", "seeds")] == ["3", "0", "0 1 2"]
    assert [maxsup[key] for key in ("n", "failed", "seeds", "paired_seeds")] == [
        *("2", "1", "0 2", "0 2")
    ]
