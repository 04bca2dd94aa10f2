"""The trials of what is lost when a study is disturbed; a few of each kind are tests elsewhere."""

import importlib
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"

pytestmark = pytest.mark.skipif(
    not (BENCHMARKS / "faults.py").exists(), reason="the benchmarks are not at hand"
)


def test_processes_in_one_directory_lose_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    faults = importlib.import_module("faults")
    code = faults.main(["--only", "two", "--trials", "1"])
    shown = capsys.readouterr()
    assert code == 0, shown.err
    assert shown.out.startswith("1 trials in ")
    assert shown.out.endswith("Lost: 0\n")
