"""What the commands write, to whatever it goes."""

import io
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from maxsup import _interrupts
from maxsup.commands import main
from maxsup.commands._output import _PLAIN, write_what_can_be_shown

COMPARE = [
    *("compare", "digits", "--methods", "baseline", "maxsup:alpha=0.1..0.3", "--seeds", "1"),
    *("--epochs", "1", "--batch-size", "256", "--out", "study"),
]
TRAIN = ["train", "digits", "--epochs", "1", "--out", "run"]


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_output_replaces_what_its_encoding_cannot_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    monkeypatch.chdir(tmp_path)
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    for words in (COMPARE, ["methods", "maxsup"], ["methods"], ["--help"]):
        assert main(words) == 0
    sys.stdout.flush()
    text = written.getvalue().decode(encoding)
    assert "The page: study/report.html" in text
    assert "z_max - mean" in text or "z_max" in text
    assert "MaxSup, alpha 0.1 -> 0.3 came out" in " ".join(text.split())
    assert "−" in (tmp_path / "study" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("ascii", "MaxSup, alpha 0.1 -> 0.2: -1.0 +- 0.5, R^2 at A?"),
        ("cp1252", "MaxSup, alpha 0.1 -> 0.2: -1.0 ± 0.5, R² at Ä?"),
        ("utf-8", "MaxSup, α 0.1 → 0.2: −1.0 ± 0.5, R² at Ä漢"),
    ],
)
def test_only_what_cannot_be_shown_is_replaced(
    encoding: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    write_what_can_be_shown()
    print("MaxSup, α 0.1 → 0.2: −1.0 ± 0.5, R² at Ä漢", end="", flush=True)
    assert written.getvalue().decode(encoding) == shown


def test_every_character_of_the_programs_texts_has_a_plain_form() -> None:
    import maxsup

    shown = {
        character
        for file in Path(maxsup.__file__).parent.rglob("*.py")
        if file.parent.name in ("commands", "training", "study", "results", "report", "recipes")
        for line in file.read_text(encoding="utf-8").splitlines()
        if '"' in line
        for character in line
        if not character.isascii()
    }
    # In docstrings alone: letters of formulas and of people's names.
    missing = shown - set(_PLAIN)
    assert missing <= set("τθηκ³χΔ√∈éóí̄"), missing


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.parametrize("words", [COMPARE, TRAIN, ["methods"], ["recipes"]], ids=lambda w: w[0])
def test_command_whose_output_nobody_reads_ends_quietly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], stream: str
) -> None:
    monkeypatch.chdir(tmp_path)
    streams = {}
    for name in ("stdout", "stderr"):
        read, write = os.pipe()
        streams[name] = os.fdopen(write, "w", buffering=1)
        monkeypatch.setattr(sys, name, streams[name])
        if name == stream:
            os.close(read)
        else:
            other = os.fdopen(read)
    assert main(words) == 0
    for each in streams.values():
        each.close()  # what is flushed at the end
    shown = other.read()
    assert "Traceback" not in shown
    assert "Broken pipe" not in shown
    other.close()


def test_interrupt_that_python_drops_is_seen_at_the_next_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Dropped as in a function that is called around a fork, whose errors Python only reports."""
    from maxsup.training import _epoch

    class Dropping:
        def __del__(self) -> None:
            os.kill(os.getpid(), signal.SIGINT)
            for _ in range(1000):
                pass

    steps, train_step = [], _epoch.train_step

    def step(*args: Any) -> Any:
        steps.append(args[4])
        if len(steps) == 2:
            with _ignored():
                Dropping()
        return train_step(*args)

    monkeypatch.setattr(_epoch, "train_step", step)
    words = ["train", "digits", "--epochs", "2", "--out", str(tmp_path / "run")]
    assert main(words) == 130
    assert "The same command goes on" in capsys.readouterr().err
    assert len(steps) == 2
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    _interrupts.check_interrupted()


class _ignored:
    """Let Python report an error that it drops to nobody."""

    def __enter__(self) -> None:
        self.before, sys.unraisablehook = sys.unraisablehook, lambda report: None

    def __exit__(self, *error: object) -> None:
        sys.unraisablehook = self.before


def test_interrupts_stay_with_who_handles_them(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with _interrupts.remembering_interrupts():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
