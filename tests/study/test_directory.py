"""A study's directory: whose it is, what may change, what is kept."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from maxsup import methods
from maxsup.commands import main
from maxsup.methods import Method
from maxsup.models import load_run
from maxsup.report import render_report, results_table
from maxsup.results import Results, read_results
from maxsup.study import _run, compare
from maxsup.training import RunResult

from .conftest import settings

Study = Callable[..., Results]


def comparable(results: Results) -> str:
    return json.dumps({k: v for k, v in results.items() if k not in ("timings", "command")})


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--batch-size", "5000"], "fewer than batch_size"),
        (["--model", "resnett18"], "resnett18"),
        (["--weights", "missing.safetensors"], "missing.safetensors"),
        (["--sync-batchnorm", "--accumulate", "3"], "multiple of accumulate"),
    ],
)
def test_refused_first_call_claims_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    out = tmp_path / "study"
    quick = ["--epochs", "1", "--seeds", "1", "--methods", "baseline"]
    assert main(["compare", "digits", "--out", str(out), *quick, *words]) == 2
    assert message in capsys.readouterr().err
    assert not out.exists()


def test_refused_data_claims_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "study"
    words = ["compare", str(tmp_path / "birdz"), "--recipe", "digits", "--out", str(out)]
    assert main(words) == 2
    assert "birdz" in capsys.readouterr().err
    assert not out.exists()


def test_study_that_has_not_trained_anything_can_be_another(tmp_path: Path) -> None:
    settings(lr=0.5).claim(tmp_path)
    run = tmp_path / "maxsup" / "seed-0"
    run.mkdir(parents=True)
    settings(lr=0.5).run("maxsup", 0).save(run / "settings.json")
    settings().claim(tmp_path)
    (run / "checkpoint.pt").touch()
    with pytest.raises(ValueError, match=r"recipe\.lr: 0\.1 there, 0\.5 now"):
        settings(lr=0.5).check(tmp_path)


def test_what_changes_no_number_may_change_on_a_study_under_way(
    finished_study: tuple[Results, Path],
    run_study: Study,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    results, directory = finished_study
    shutil.copytree(directory, tmp_path / "study")
    shutil.rmtree(tmp_path / "study" / "maxsup" / "seed-1")
    changes: dict[str, Any] = {"checkpoint_steps": 2, "keep_outputs": False}
    found = run_study(tmp_path / "study", **changes)
    assert found["runs"] == results["runs"]
    kept = json.loads((tmp_path / "study" / "study.json").read_text())
    assert (kept["recipe"]["checkpoint_steps"], kept["recipe"]["keep_outputs"]) == (2, False)


def test_smaller_call_keeps_what_is_finished_and_says_what_it_asked_for(
    finished_study: tuple[Results, Path],
    run_study: Study,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    results, directory = finished_study
    shutil.copytree(directory, tmp_path / "study")
    found = run_study(tmp_path / "study", seeds=(1,), methods=("maxsup", "baseline"))
    assert found["asked"] == {"methods": ["maxsup", "baseline"], "seeds": [1], "left_out": []}
    assert [method["name"] for method in found["methods"]] == [
        "maxsup", "baseline", "label-smoothing",
    ]  # fmt: skip
    key = lambda run: (run["method"], run["seed"])  # noqa: E731
    assert sorted(found["runs"], key=key) == sorted(results["runs"], key=key)
    assert found["summary"]["test_nll"]["maxsup"] == results["summary"]["test_nll"]["maxsup"]
    assert read_results(tmp_path / "study" / "results.json") == found
    note = found["verdict"]["notes"][0]
    assert note == (
        "The command asked for MaxSup and Baseline with seed 1. All else here was finished by "
        "earlier commands and is kept, in every mean and comparison too: MaxSup and Baseline "
        "with seed 0; Label smoothing with seeds 0 and 1."
    )
    page = render_report(found)
    assert note in page
    assert "on this page were finished by earlier commands" in page
    # As large as ever when all of it is asked for.
    assert comparable(run_study(tmp_path / "study")) == comparable(results)
    assert set(json.loads((tmp_path / "study" / "study.json").read_text())["seeds"]) == {0, 1}


def test_kept_runs_that_do_not_belong_are_left_out_with_a_word(
    finished_study: tuple[Results, Path], run_study: Study, tmp_path: Path
) -> None:
    _, directory = finished_study
    study = tmp_path / "study"
    shutil.copytree(directory, study)
    (study / "label-smoothing" / "seed-0" / "result.json").write_text("{")
    shutil.copytree(study / "maxsup" / "seed-0", study / "maxsup" / "seed-7")
    shutil.copytree(study / "maxsup" / "seed-0", study / "my-own" / "seed-0")
    (study / "label-smoothing" / "seed-1" / "model.safetensors").write_bytes(b"")
    found = run_study(study, seeds=(0,), methods=("baseline", "maxsup"))
    assert [(run["method"], run["seed"]) for run in found["runs"]] == [
        ("baseline", 0), ("baseline", 1), ("maxsup", 0), ("maxsup", 1),
    ]  # fmt: skip
    notes = found["verdict"]["notes"][1:5]
    assert [note.partition(" was finished")[0] for note in notes] == [
        "label-smoothing, seed 0", "label-smoothing, seed 1", "maxsup, seed 7", "my-own, seed 0",
    ]  # fmt: skip
    for note, cause in zip(
        notes, ("no JSON file", "is empty", "other settings", "No method"), strict=True
    ):
        assert cause.lower() in note.lower()


def test_page_of_an_incomplete_grid(
    finished_study: tuple[Results, Path], run_study: Study, tmp_path: Path
) -> None:
    _, directory = finished_study
    shutil.copytree(directory, tmp_path / "study")
    shutil.rmtree(tmp_path / "study" / "label-smoothing" / "seed-1")
    found = run_study(tmp_path / "study", seeds=(0,), methods=("baseline", "maxsup"))
    assert len(found["runs"]) == 5
    assert render_report(found)
    with Console(quiet=True) as console:
        console.print(results_table(found))


@pytest.mark.usefixtures("registry")
def test_method_that_is_not_known_any_more_does_not_stop_the_others(
    run_study: Study, tmp_path: Path
) -> None:
    from maxsup.losses import CrossEntropyLoss

    methods.register(Method("mine", "Mine", "", build=lambda training: CrossEntropyLoss()))
    run_study(tmp_path, methods=("baseline", "mine"), seeds=(0,), epochs=1)
    del methods._METHODS["mine"]
    found = run_study(tmp_path, methods=("baseline",), seeds=(0,), epochs=1)
    assert [run["method"] for run in found["runs"]] == ["baseline"]
    assert "mine, seed 0 was finished by an earlier command" in found["verdict"]["notes"][0]


@pytest.mark.parametrize("text", ["", "{", '{"editor.fontSize": 13}', None])
def test_damaged_study_file(
    finished_study: tuple[Results, Path], tmp_path: Path, text: str | None
) -> None:
    _, directory = finished_study
    study = tmp_path / "study"
    shutil.copytree(directory, study)
    whole = (study / "study.json").read_text()
    (study / "study.json").write_text(
        whole.replace('"lr": 0.1', '"lr": 0.3') if text is None else text
    )
    # Another study does not get it by that.
    with pytest.raises(ValueError, match=r"study\.json .*No run of this study lies beside it"):
        settings(lr=0.3).check(study)
    settings().check(study)
    settings().claim(study)
    assert (study / "study.json").read_text() == whole
    (study / "study.json").unlink()
    settings().claim(study)
    assert (study / "study.json").read_text() == whole


def test_damaged_weights_of_a_finished_run_are_trained_again(
    finished_study: tuple[Results, Path],
    run_study: Study,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    results, directory = finished_study
    shutil.copytree(directory, tmp_path / "study")
    weights = tmp_path / "study" / "maxsup" / "seed-0" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-5])
    assert comparable(run_study(tmp_path / "study")) == comparable(results)
    assert load_run(weights.parent).classes == tuple("0123456789")
    weights.unlink()
    found = run_study(tmp_path / "study")
    assert found["runs"] == results["runs"]
    assert found["confused"] is not None
    assert "as the weights were removed: maxsup" in found["confused"]["chosen_by"]


def test_damaged_results_are_named(finished_study: tuple[Results, Path], tmp_path: Path) -> None:
    _, directory = finished_study
    text = (directory / "results.json").read_text()
    path = tmp_path / "results.json"
    for damaged in ("", text[:-9], text.replace('"seed": 1', '"seed": 3', 1)):
        path.write_text(damaged)
        with pytest.raises(ValueError, match=r"results\.json is .*without training them again"):
            read_results(path)


def test_directory_that_was_removed_stops_the_study(
    run_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _run.train
    study = tmp_path / "study"

    def remove_after(*args: Any, **options: Any) -> RunResult:
        result = whole(*args, **options)
        shutil.rmtree(study)
        return result

    monkeypatch.setattr(_run, "train", remove_after)
    with pytest.raises(FileNotFoundError, match="was removed or emptied") as caught:
        run_study(study, methods=("baseline", "maxsup"), seeds=(0,), epochs=1)
    assert caught.value.filename == str(study)
    assert not study.exists()


def test_second_study_in_the_same_place_leaves(
    run_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one of this same process, as of another cell of a notebook."""
    whole = _run.train

    def meanwhile(*args: Any, **options: Any) -> RunResult:
        with pytest.raises(ValueError, match="is in use by another call in this same process"):
            compare(
                settings(methods=("baseline",), seeds=(5,)), tmp_path, console=Console(quiet=True)
            )
        return whole(*args, **options)

    monkeypatch.setattr(_run, "train", meanwhile)
    found = run_study(tmp_path, methods=("baseline",), seeds=(0,), epochs=2)
    assert found["seeds"] == [0]
