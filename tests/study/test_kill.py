"""A study that is killed again and again ends like one that was left alone."""

import json
import os
import random
import time
from pathlib import Path

from tests.forked import CommandProcess

KILLS = int(os.environ.get("MAXSUP_TEST_KILLS", "3"))


def start(directory: Path) -> CommandProcess:
    words = [
        *("compare", "digits", "--label-noise", "0.4"),
        *("--methods", "baseline", "maxsup", "online-label-smoothing", "--seeds", "2"),
        *("--epochs", str(4 * KILLS), "--batch-size", "128", "--out", "study"),
    ]
    return CommandProcess(words, cwd=directory, log=directory / "log.txt")


def results(directory: Path) -> dict[str, object]:
    found = json.loads((directory / "study" / "results.json").read_text())
    found.pop("timings")
    return found


def progress(directory: Path) -> int:
    """Epochs done, over all runs; the lines of a finished run stay."""
    files = directory.glob("study/*/*/metrics.jsonl")
    return sum(len(file.read_text().splitlines()) for file in files)


def test_study_killed_at_random_moments_ends_like_one_left_alone(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir()
    killed.mkdir()
    process = start(whole)
    assert process.wait() == 0, process.output()

    moments = random.Random(0)
    for _ in range(KILLS):
        before = progress(killed)
        process = start(killed)
        # Until it trains, then up to any moment of some epochs' work.
        process.wait_until(lambda before=before: progress(killed) != before)  # type: ignore[misc]
        time.sleep(moments.uniform(0, 0.5))
        assert process.is_running, "the study was over before it could be killed often enough"
        process.kill()
        assert not (killed / "study" / "results.json").exists()

    process = start(killed)
    assert process.wait() == 0, process.output()
    assert results(killed) == results(whole)
    text = [(d / "study" / "results.json").read_text() for d in (whole, killed)]
    cut = [each[: each.index('"timings"')] for each in text]
    assert cut[0] == cut[1]
