import io

import pytest
from rich.console import Console

from maxsup.training import ProgressReport, _progress

ROW = {"train_loss": 1.5, "train_accuracy": 0.5, "test_accuracy": 0.25, "images_per_second": 1234.0}


def report(stream: io.StringIO, *, terminal: bool, epochs: int = 2) -> ProgressReport:
    console = Console(file=stream, force_terminal=terminal, width=120, no_color=True)
    return ProgressReport(console, epochs)


def train_one_epoch(progress: ProgressReport, *, epoch: int = 1) -> None:
    progress.start_epoch(steps=3)
    for step in (1, 2, 3):
        progress.step(images=64)
        progress.figures(epoch, step, 3, loss=1.25, accuracy=0.5)
    progress.end_epoch(epoch, ROW)


def test_a_log_gets_plain_lines() -> None:
    stream = io.StringIO()
    with report(stream, terminal=False) as progress:
        progress.start_run("maxsup, seed 0", epochs=2, done=0)
        train_one_epoch(progress)
    assert stream.getvalue().startswith(
        "maxsup, seed 0: epoch 1/2: train loss 1.5000, train accuracy 50.00 %, "
        "test accuracy 25.00 %, images per second 1,234"
    )
    assert "\x1b" not in stream.getvalue()
    assert stream.getvalue().count("\n") == 1


def test_a_long_epoch_writes_lines_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_progress, "SECONDS_BETWEEN_LINES", 0.0)
    stream = io.StringIO()
    with report(stream, terminal=False) as progress:
        progress.start_run("maxsup, seed 0", epochs=2, done=0)
        train_one_epoch(progress)
    assert "epoch 1/2, step 2/3: loss 1.250 · accuracy 50.0 %" in stream.getvalue()
    assert "left in the epoch" in stream.getvalue()


def test_a_terminal_gets_a_bar_with_its_figures() -> None:
    stream = io.StringIO()
    with report(stream, terminal=True) as progress:
        progress.start_run("maxsup, seed 0", epochs=2, done=0)
        progress.start_epoch(steps=3)
        progress.step(images=64)
        progress.figures(1, 1, 3, loss=1.25, accuracy=0.5)
        progress._bar.refresh()
        shown = stream.getvalue()
    assert "maxsup, seed 0" in shown
    assert "loss 1.250 · accuracy 50.0 %" in shown
    assert "1/3" in shown
    assert "train loss" not in shown


def test_a_resumed_training_says_so() -> None:
    stream = io.StringIO()
    with report(stream, terminal=False, epochs=5) as progress:
        progress.start_run("maxsup, seed 0", epochs=5, done=3)
        assert progress._bar.tasks[0].completed == 3
        progress.advance_to(5)
        assert progress._bar.finished
    assert "maxsup, seed 0: goes on after epoch 3 of 5" in stream.getvalue()


def test_a_quiet_report_shows_nothing() -> None:
    stream = io.StringIO()
    with ProgressReport(Console(file=stream, force_terminal=True), 1, quiet=True) as progress:
        progress.start_run("maxsup, seed 0", epochs=1, done=0)
        train_one_epoch(progress)
    assert stream.getvalue() == ""
