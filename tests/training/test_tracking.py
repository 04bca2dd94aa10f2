"""What trackers of experiments are sent."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from accelerate.tracking import LOGGER_TYPE_TO_CLASS, GeneralTracker

from maxsup.commands import main
from maxsup.data import DataSettings
from maxsup.recipes import get_recipe
from maxsup.training import RunSettings, train

from .conftest import StopAfter


def train_digits(out: Path, *options: str, epochs: int = 3) -> int:
    settings = ("--epochs", str(epochs), "--batch-size", "200", "--out", str(out))
    return main(["train", "digits", *settings, *options])


def history(directory: Path) -> list[dict[str, float]]:
    return [json.loads(row) for row in (directory / "metrics.jsonl").read_text().splitlines()]


def test_tensorboard_holds_each_epoch_once_also_after_an_interruption(
    tmp_path: Path,
) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    recipe = dataclasses.replace(get_recipe("digits"), epochs=3, batch_size=200)
    settings = RunSettings("maxsup", 0, recipe, DataSettings("digits"))
    with pytest.raises(KeyboardInterrupt):
        train(settings, tmp_path, tracker="tensorboard", on_checkpoint=StopAfter(2))
    train(settings, tmp_path, tracker="tensorboard")
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert "settings/text_summary" in events.Tags()["tensors"]
    rows = history(tmp_path)
    for name in ("train_loss", "test_accuracy", "lr", "alpha"):
        sent = {event.step: event.value for event in events.Scalars(name)}
        # The second epoch was saved when the stop came between it and the tracker.
        assert set(sent) == {1, 3}
        for row in rows:
            if row["epoch"] in sent:
                assert sent[int(row["epoch"])] == pytest.approx(row[name])


class Recorder(GeneralTracker):
    """Stands for a tracker on the net."""

    name = "recorder"
    requires_logging_directory = False
    main_process_only = False
    made: "list[Recorder]" = []  # noqa: RUF012

    def __init__(self, run_name: str, **options: Any) -> None:
        super().__init__()
        self.run_name, self.options = run_name, options
        self.rows: list[tuple[int, dict[str, float]]] = []
        self.finished = 0
        self.made.append(self)

    def start(self) -> None:
        self.rows.clear()

    @property
    def tracker(self) -> list[tuple[int, dict[str, float]]]:
        return self.rows

    def log(self, values: dict[str, float], step: int) -> None:  # type: ignore[override]
        self.rows.append((step, values))

    def finish(self) -> None:
        self.finished += 1


@pytest.fixture
def recorders(monkeypatch: pytest.MonkeyPatch) -> list[Recorder]:
    monkeypatch.setitem(LOGGER_TYPE_TO_CLASS, "wandb", Recorder)
    monkeypatch.setattr("maxsup.training._tracking.find_spec", lambda name: object())
    monkeypatch.setattr(Recorder, "made", [])
    return Recorder.made


def test_every_run_of_a_study_is_a_run_of_the_tracker(
    recorders: list[Recorder], tmp_path: Path
) -> None:
    study = ("--methods", "baseline", "maxsup", "--seeds", "2", "--epochs", "2")
    place = tmp_path / "study"
    command = ["compare", "digits", *study, "--batch-size", "200", "--out", str(place)]
    assert main([*command, "--tracker", "wandb"]) == 0
    names = ["baseline, seed 0", "maxsup, seed 0", "baseline, seed 1", "maxsup, seed 1"]
    assert [each.options["name"] for each in recorders] == names
    assert {each.run_name for each in recorders} == {"maxsup"}
    assert {each.options["group"] for each in recorders} == {"study"}
    assert len({each.options["id"] for each in recorders}) == 4
    second = recorders[1]
    assert second.options["config"]["method"] == "maxsup"
    assert second.options["config"]["coefficient.alpha"] == "0.1..0.2"
    assert second.options["config"]["recipe.batch_size"] == 200
    expected = history(place / "maxsup" / "seed-0")
    assert [step for step, _ in second.rows] == [1, 2]
    for (_, sent), row in zip(second.rows, expected, strict=True):
        assert sent == {name: value for name, value in row.items() if name != "epoch"}
    assert [each.finished for each in recorders] == [1] * 4
    # A finished study is not sent again.
    assert main([*command, "--tracker", "wandb"]) == 0
    assert len(recorders) == 4


def test_a_failed_run_is_closed(recorders: list[Recorder], tmp_path: Path) -> None:
    assert train_digits(tmp_path, "--tracker", "wandb", "--lr", "1e20", "--warmup-epochs", "0") != 0
    assert [each.finished for each in recorders] == [1]


def test_nothing_is_tracked_unless_asked_for(recorders: list[Recorder], tmp_path: Path) -> None:
    assert train_digits(tmp_path, epochs=1) == 0
    assert not recorders
    assert not (tmp_path / "tensorboard").exists()


def test_a_tracker_that_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("maxsup.training._tracking.find_spec", lambda name: None)
    assert train_digits(tmp_path / "run", "--tracker", "trackio") == 2
    assert "pip install 'maxsup[trackio]' brings it" in capsys.readouterr().err
    assert main(["compare", "digits", "--tracker", "wandb", "--out", str(tmp_path / "c")]) == 2
    assert not list(tmp_path.iterdir())


def test_tensorboard_needs_a_local_directory(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--epochs", "1", "--tracker", "tensorboard", "--out", "memory://tracked")
    assert main(["train", "digits", *options]) == 2
    assert "can only be kept on this machine, not in memory://" in capsys.readouterr().err
