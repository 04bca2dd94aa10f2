import csv
import io
import json
import math
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from maxsup import methods
from maxsup.losses import CrossEntropyLoss
from maxsup.methods import Method
from maxsup.results import Results, read_results
from maxsup.study import StudySettings, _run, compare
from maxsup.study._data import StudyData
from maxsup.study._gather import gather
from maxsup.training import RunResult, TrainingDiverged, build_accelerator

from .conftest import settings

Study = Callable[..., Results]


def comparable(results: Results) -> str:
    """All that two repetitions of a study must have in common."""
    return json.dumps({key: value for key, value in results.items() if key != "timings"})


def test_results_are_those_of_the_runs(finished_study: tuple[Results, Path]) -> None:
    results, directory = finished_study
    assert [(run["method"], run["seed"]) for run in results["runs"]] == [
        (method, seed) for method in ("baseline", "label-smoothing", "maxsup") for seed in (0, 1)
    ]
    for run in results["runs"]:
        kept = json.loads(
            (directory / run["method"] / f"seed-{run['seed']}" / "result.json").read_text()
        )
        assert run["values"] == {name: kept["values"][name] for name in run["values"]}
    for measure in results["measures"]:
        for method in ("baseline", "label-smoothing", "maxsup"):
            values = [
                run["values"][measure["name"]] for run in results["runs"] if run["method"] == method
            ]
            summary = results["summary"][measure["name"]][method]
            assert summary["mean"] == pytest.approx(statistics.mean(values))
            assert summary["std"] == pytest.approx(statistics.stdev(values))


def test_differences_are_paired(finished_study: tuple[Results, Path]) -> None:
    results, _ = finished_study
    by_run = {(run["method"], run["seed"]): run["values"]["test_nll"] for run in results["runs"]}
    difference = results["summary"]["test_nll"]["maxsup"]["difference"]
    assert difference is not None
    paired = [by_run["maxsup", seed] - by_run["baseline", seed] for seed in (0, 1)]
    assert difference["pairs"] == 2
    assert difference["mean"] == pytest.approx(statistics.mean(paired))
    assert results["summary"]["test_nll"]["baseline"]["difference"] is None


def test_the_files_hold_the_results(finished_study: tuple[Results, Path]) -> None:
    results, directory = finished_study
    assert read_results(directory / "results.json") == results
    with (directory / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    assert float(rows[0]["test_accuracy"]) == results["runs"][0]["values"]["test_accuracy"]
    assert rows[0]["status"] == "finished"
    assert float(rows[0]["seconds_per_epoch"]) > 0


def test_a_repetition_gives_the_same_results(
    finished_study: tuple[Results, Path], run_study: Study, tmp_path: Path
) -> None:
    results, _ = finished_study
    assert comparable(run_study(tmp_path)) == comparable(results)


def test_starts_are_shared_and_shown(finished_study: tuple[Results, Path]) -> None:
    results, _ = finished_study
    starts = {
        seed: {json.dumps(r["fingerprint"]) for r in results["runs"] if r["seed"] == seed}
        for seed in (0, 1)
    }
    assert all(len(found) == 1 for found in starts.values())
    assert starts[0] != starts[1]


def test_runs_with_other_starts_are_not_compared(finished_study: tuple[Results, Path]) -> None:
    _, directory = finished_study
    study = settings()
    runs: dict[tuple[str, int], RunResult | str] = {}
    for method in study.methods:
        run = RunResult.load(study.run_directory(directory, method, 0))
        assert run is not None
        runs[method, 0] = run
    changed = runs["maxsup", 0]
    assert isinstance(changed, RunResult)
    runs["maxsup", 0] = RunResult("", "0", changed.batches, changed.history, changed.evaluation)
    from maxsup.data import load_images

    accelerator = build_accelerator(study.recipe)
    with pytest.raises(ValueError, match=r"did not share initial weights .* seeds \[0\]"):
        gather(
            study,
            StudyData(study, load_images(study.data)),
            runs,
            directory,
            "",
            {"CPU"},
            accelerator,
        )


def test_a_study_goes_on_where_it_was_stopped(
    finished_study: tuple[Results, Path],
    run_study: Study,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    results, _ = finished_study
    whole = _run.train
    calls = 0

    def stop_at_the_third(*args: Any, **options: Any) -> RunResult:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return whole(*args, **options)

    monkeypatch.setattr(_run, "train", stop_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        run_study(tmp_path)
    assert not (tmp_path / "results.json").exists()
    assert comparable(run_study(tmp_path)) == comparable(results)


class _BrokenLoss(CrossEntropyLoss):
    def forward(self, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return super().forward(logits, target) * math.inf


@pytest.fixture
def _diverging_method(registry: None) -> None:
    methods.register(
        Method("diverging", "Diverging", "fails", build=lambda training: _BrokenLoss())
    )


@pytest.mark.usefixtures("_diverging_method")
def test_a_failed_run_is_reported_and_the_others_go_on(run_study: Study, tmp_path: Path) -> None:
    results = run_study(tmp_path, methods=("baseline", "diverging", "maxsup"), seeds=(0,))
    failed = results["runs"][1]
    assert failed["status"] == "failed"
    assert failed["cause"] is not None
    assert failed["cause"].startswith("TrainingDiverged: the loss became nan in epoch 1 of 2")
    assert results["runs"][2]["status"] == "finished"
    assert results["summary"]["test_accuracy"]["diverging"]["mean"] is None
    assert "1 of 3 runs failed" in " ".join(results["verdict"]["notes"])
    trace = (tmp_path / "diverging" / "seed-0" / "failure.txt").read_text()
    assert TrainingDiverged.__name__ in trace


PLUGIN = """
from maxsup import CrossEntropyLoss
from maxsup.methods import Method


class Breaking(CrossEntropyLoss):
    def forward(self, logits, target):
        return super().forward(logits, target) + BROKEN


METHOD = Method("breaking", "Breaking", "fails", build=lambda training: Breaking())
"""


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ('{}["beta"]', "KeyError: 'beta'"),
        # As of input that stops a study, but this one comes from the method alone.
        ('float("x")', "ValueError: could not convert string to float: 'x'"),
        ('open("gone.txt")', "FileNotFoundError: [Errno 2] No such file or directory: 'gone.txt'"),
    ],
)
@pytest.mark.usefixtures("registry")
def test_a_run_that_fails_in_a_plugin_names_its_line_and_its_trace(
    broken: str, message: str, tmp_path: Path
) -> None:
    file = tmp_path / "breaking.py"
    file.write_text(PLUGIN.replace("BROKEN", broken))
    methods.load_plugin(file)
    shown = io.StringIO()
    results = compare(
        settings(methods=("breaking", "baseline"), seeds=(0,), epochs=1),
        tmp_path / "s",
        console=Console(file=shown, width=500),
    )
    cause = f"{message} (breaking.py, line 8)"
    assert [run["status"] for run in results["runs"]] == ["failed", "finished"]
    assert results["runs"][0]["cause"] == cause
    trace = tmp_path / "s" / "breaking" / "seed-0" / "failure.txt"
    assert f"breaking, seed 0 failed: {cause}; traceback: {trace}" in shown.getvalue()
    assert 'breaking.py", line 8' in trace.read_text()


def test_memory_that_runs_out_is_named_with_a_way_out(
    run_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _run.train

    def fail_with_maxsup(run: Any, *args: Any, **options: Any) -> RunResult:
        if run.method == "maxsup":
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")
        return whole(run, *args, **options)

    monkeypatch.setattr(_run, "train", fail_with_maxsup)
    results = run_study(tmp_path, methods=("baseline", "maxsup"), seeds=(0,))
    cause = results["runs"][1]["cause"]
    assert cause is not None
    assert cause.startswith("out of memory: try --batch-size")
    # Tried again, and done, once there is room.
    monkeypatch.setattr(_run, "train", whole)
    assert run_study(tmp_path, methods=("baseline", "maxsup"), seeds=(0,))["runs"][1]["status"] == (
        "finished"
    )
    assert not (tmp_path / "maxsup" / "seed-0" / "failure.txt").exists()


def test_a_full_disk_stops_the_study(
    run_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any, **options: Any) -> RunResult:
        raise OSError(28, "No space left on device", "checkpoint.pt")

    monkeypatch.setattr(_run, "train", full)
    with pytest.raises(OSError, match="No space left"):
        run_study(tmp_path)


def test_one_seed_has_no_interval_and_says_so(run_study: Study, tmp_path: Path) -> None:
    results = run_study(tmp_path, seeds=(0,), methods=("baseline", "maxsup"))
    difference = results["summary"]["test_accuracy"]["maxsup"]["difference"]
    assert difference is not None
    assert (difference["low"], difference["p_t"], difference["p_sign_flip"]) == (None, None, None)
    assert results["verdict"]["sentence"].startswith("One seed concludes nothing")


def test_methods_and_seeds_can_be_added(
    finished_study: tuple[Results, Path], run_study: Study, tmp_path: Path
) -> None:
    run_study(tmp_path, seeds=(0,), methods=("baseline", "maxsup"))
    results, _ = finished_study
    assert comparable(run_study(tmp_path)) == comparable(results)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lr": 0.5}, r"recipe\.lr: 0\.1 there, 0\.5 now"),
        ({"epochs": 3}, r"recipe\.epochs: 2 there, 3 now"),
    ],
)
def test_another_studys_directory_is_left_alone(
    finished_study: tuple[Results, Path], changes: dict[str, Any], message: str
) -> None:
    _, directory = finished_study
    before = (directory / "study.json").read_text()
    with pytest.raises(ValueError, match=message):
        settings(**changes).claim(directory)
    assert (directory / "study.json").read_text() == before


def test_a_directory_of_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("…")
    with pytest.raises(ValueError, match="holds files that are no study"):
        settings().claim(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"methods": ()}, "at least one method"),
        ({"seeds": ()}, "at least one seed"),
        ({"methods": ("baseline", "maxsub")}, "Did you mean 'maxsup'"),
        ({"methods": ("baseline", "baseline")}, "twice came baseline"),
        ({"seeds": (1, 1)}, "twice came 1"),
        ({"methods": ("maxsup",)}, "The baseline 'baseline' is not among the methods"),
    ],
)
def test_a_study_that_makes_no_sense(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        settings(**changes)


def test_results_of_another_format_are_refused(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text('{"format": 0}')
    with pytest.raises(ValueError, match="in format 0"):
        read_results(tmp_path / "results.json")


def test_the_three_classes_and_their_pictures(finished_study: tuple[Results, Path]) -> None:
    results, _ = finished_study
    confused = results["confused"]
    assert confused is not None
    assert len(set(confused["classes"])) == 3
    for projection in confused["projections"].values():
        assert all(len(of_class) > 20 for of_class in projection["points"])
        (x0, y0), (x1, y1), (_, y2) = projection["templates"]
        assert y0 == pytest.approx(y1, abs=1e-3)
        assert x0 < x1
        assert y2 > y0
    assert set(results["logits"]) == {"baseline", "label-smoothing", "maxsup"}
    edges = {json.dumps(each["edges"]) for each in results["logits"].values()}
    assert len(edges) == 1


def test_settings_are_the_same_study_after_a_round_trip(tmp_path: Path) -> None:
    study: StudySettings = settings(milestones=(1,), lr_schedule="step")
    study.claim(tmp_path)
    study.claim(tmp_path)
    assert json.loads((tmp_path / "study.json").read_text())["recipe"]["milestones"] == [1]
