"""One method with several strengths in one study."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from maxsup.models import load_run
from maxsup.recipes import get_recipe
from maxsup.results import Results, read_results
from maxsup.study import StudySettings, _run
from maxsup.study._call import python_call
from maxsup.training import RunResult, RunSettings

from .conftest import settings

Study = Callable[..., Results]
METHODS = ("baseline", "maxsup:alpha=0.0", "maxsup:alpha=3.0", "maxsup:alpha=0.0..3")
NAMES = ("baseline", "maxsup:alpha=0", "maxsup:alpha=3", "maxsup:alpha=0..3")


def test_strengths_of_one_method_are_trained_apart_and_go_on(
    run_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _run.train
    trained: list[str] = []

    def train(run: Any, *args: Any, **options: Any) -> RunResult:
        if trained == [*NAMES[:2]]:
            trained.append("stopped")
            raise KeyboardInterrupt
        trained.append(run.method)
        return whole(run, *args, **options)

    monkeypatch.setattr(_run, "train", train)
    with pytest.raises(KeyboardInterrupt):
        run_study(tmp_path, methods=METHODS, seeds=(0,))
    # Written in another way, it is the same study.
    results = run_study(tmp_path, methods=NAMES, seeds=(0,))
    assert trained == [*NAMES[:2], "stopped", *NAMES]

    directories = ("baseline", "maxsup-alpha-0", "maxsup-alpha-3", "maxsup-alpha-0-to-3")
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {*directories}
    values = {run["method"]: run["values"] for run in results["runs"]}
    assert tuple(values) == NAMES
    # Without a penalty it is cross-entropy; in the first epoch, so is the ramp.
    assert values["maxsup:alpha=0"] == pytest.approx(values["baseline"], nan_ok=True, rel=1e-4)
    nll = {name: values[name]["test_nll"] for name in NAMES}
    assert len({*nll.values()}) >= 3
    losses = {
        run["method"]: [row["train_loss"] for row in run["history"]] for run in results["runs"]
    }
    assert losses["maxsup:alpha=0..3"][0] == pytest.approx(losses["baseline"][0])
    assert losses["maxsup:alpha=0..3"][1] > losses["baseline"][1] + 0.01

    facts = {method["name"]: method for method in results["methods"]}
    assert facts["maxsup:alpha=3"]["label"] == "MaxSup, α 3"
    assert facts["maxsup:alpha=3"]["coefficients"] == {"alpha": 3.0}
    assert facts["maxsup:alpha=0..3"]["coefficients"] == {"alpha": [0.0, 3.0]}
    assert facts["baseline"]["coefficients"] == {}
    assert read_results(tmp_path / "results.json") == results
    assert json.loads((tmp_path / "study.json").read_text())["methods"] == [*NAMES]
    kept = RunSettings.load(tmp_path / "maxsup-alpha-0-to-3" / "seed-0" / "settings.json")
    assert kept.method == "maxsup:alpha=0..3"
    assert load_run(tmp_path / "maxsup-alpha-3" / "seed-0").model is not None


def test_smaller_call_keeps_the_strengths_that_are_finished(
    run_study: Study, tmp_path: Path
) -> None:
    methods = ("baseline", "maxsup:alpha=0.3", "maxsup")
    whole = run_study(tmp_path, methods=methods, seeds=(0,), epochs=1)
    assert whole["asked"]["left_out"] == []
    found = run_study(tmp_path, methods=("baseline", "maxsup"), seeds=(0,), epochs=1)
    runs = {run["method"]: run for run in found["runs"]}
    assert runs == {run["method"]: run for run in whole["runs"]}
    assert found["asked"]["left_out"] == []
    assert "kept, in every mean and comparison too: MaxSup, α 0.3 with" in " ".join(
        found["verdict"]["notes"]
    )

    again = {"methods": ("baseline", "maxsup:alpha=0.1..0.2"), "seeds": (0,), "epochs": 1}
    with pytest.raises(ValueError, match=r"maxsup and maxsup:alpha=0\.1\.\.0\.2 are the same"):
        run_study(tmp_path, **again)
    # Where the study's file was lost, the run stays, but nothing is shown twice.
    (tmp_path / "study.json").unlink()
    notes = run_study(tmp_path, **again)["verdict"]["notes"]
    assert any(note.startswith("maxsup, seed 0 was finished by an earlier") for note in notes)


def test_study_spells_methods_baseline_and_contrasts_in_one_way() -> None:
    study = StudySettings(
        data=settings().data,
        recipe=get_recipe("digits"),
        methods=("maxsup:alpha=.10", "label-smoothing:alpha=0.10", "focal:gamma=2.0"),
        baseline="focal:gamma=2",
        contrasts=(("maxsup:alpha=0.1", "focal:gamma=2.00"),),
    )
    assert study.methods == ("maxsup:alpha=0.1", "label-smoothing:alpha=0.1", "focal:gamma=2")
    assert study.contrasts == (("maxsup:alpha=0.1", "focal:gamma=2"),)
    assert study.run_directory(Path("s"), study.methods[0], 3) == Path("s/maxsup-alpha-0.1/seed-3")
    call = python_call(study, Path("runs/s"))
    assert "methods=('maxsup:alpha=0.1', 'label-smoothing:alpha=0.1', 'focal:gamma=2')" in call
    assert "contrasts=(('maxsup:alpha=0.1', 'focal:gamma=2'),)" in call


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        (("baseline", "maxsup:beta=1"), "maxsup has no coefficient 'beta'.*alpha >= 0"),
        (("baseline", "label-smoothing:alpha=2"), r"in \[0, 1\]; got 2"),
        (("baseline", "maxsup:alpha"), "write METHOD:NAME=VALUE"),
        (("baseline", "maxsup:alpha=.1", "maxsup:alpha=0.1"), "twice came maxsup:alpha=0.1"),
        (("baseline", "maxsup", "maxsup:alpha=0.1..0.2"), "the same coefficients"),
    ],
)
def test_study_refuses_what_cannot_be_set_before_anything_is_written(
    methods: tuple[str, ...], message: str, run_study: Study, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        run_study(tmp_path / "s", methods=methods)
    assert not (tmp_path / "s").exists()


def test_run_is_named_in_one_way() -> None:
    recipe, data = get_recipe("digits"), settings().data
    run = RunSettings("maxsup:alpha=0.30..0.1", 7, recipe, data)
    assert run.method == "maxsup:alpha=0.3..0.1"
    assert run.default_directory() == Path("runs/digits/maxsup-alpha-0.3-to-0.1/seed-7")
    assert RunSettings.from_json(run.to_json()) == run
