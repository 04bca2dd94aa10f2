import json
from pathlib import Path

import pytest

from maxsup.results import Results, read_results, write_results
from maxsup.results.schema import FORMAT


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
