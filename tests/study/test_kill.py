"""A study that is killed again and again ends like one that was left alone."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

KILLS = int(os.environ.get("MAXSUP_TEST_KILLS", "3"))


def start(directory: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "maxsup", "compare", "digits", "--label-noise", "0.4"),
            *("--methods", "baseline", "maxsup", "online-label-smoothing", "--seeds", "2"),
            *("--epochs", str(4 * KILLS), "--batch-size", "128", "--out", "study"),
        ],
        cwd=directory,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def results(directory: Path) -> dict[str, object]:
    found = json.loads((directory / "study" / "results.json").read_text())
    found.pop("timings")
    return found


def progress(directory: Path) -> int:
    """Epochs done, over all runs; the lines of a finished run stay."""
    files = directory.glob("study/*/*/metrics.jsonl")
    return sum(len(file.read_text().splitlines()) for file in files)


def test_killed_at_random_moments(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir()
    killed.mkdir()
    assert start(whole).wait(timeout=600) == 0

    moments = random.Random(0)
    hits = 0
    while hits < KILLS:
        before = progress(killed)
        process = start(killed)
        # Wait until it trains, then for any moment up to that of some epochs' work.
        while progress(killed) == before and process.poll() is None:
            time.sleep(0.01)
        time.sleep(moments.uniform(0, 0.5))
        assert process.poll() is None, "the study was over before it could be killed often enough"
        process.send_signal(signal.SIGKILL)
        process.wait()
        hits += 1
        assert not (killed / "study" / "results.json").exists()

    assert start(killed).wait(timeout=600) == 0
    assert results(killed) == results(whole)
    text = [(d / "study" / "results.json").read_text() for d in (whole, killed)]
    cut = [each[: each.index('"timings"')] for each in text]
    assert cut[0] == cut[1]
