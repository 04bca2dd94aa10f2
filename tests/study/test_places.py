"""Studies that are kept elsewhere than in a local directory."""

import functools
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from upath import UPath

from maxsup.commands import main
from maxsup.results import Results, read_results
from maxsup.study import _run
from maxsup.training import Position, train

Study = Callable[..., Results]

FILES = {
    *("config.json", "metrics.jsonl", "model.safetensors", "outputs-test.safetensors"),
    *("SHA256SUMS", "result.json", "result.safetensors", "settings.json"),
}


def comparable(results: Results) -> str:
    return json.dumps({k: v for k, v in results.items() if k not in ("timings", "command")})


@pytest.fixture(params=["memory", "file"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a directory that does not exist yet."""
    place = UPath("memory://study") if request.param == "memory" else UPath(tmp_path / "study")
    yield "memory://study" if request.param == "memory" else f"file://{tmp_path}/study"
    if place.exists():
        place.fs.rm(place.path, recursive=True)


def test_a_study_that_was_stopped_goes_on_there(
    url: str,
    finished_study: tuple[Results, Path],
    run_study: Study,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    saved = 0

    def stop_after_the_third(position: Position) -> None:
        nonlocal saved
        saved += 1
        if saved == 3:
            raise KeyboardInterrupt

    watched = functools.partial(train, on_checkpoint=stop_after_the_third)
    monkeypatch.setattr(_run, "train", watched)
    with pytest.raises(KeyboardInterrupt):
        run_study(url)
    stopped = UPath(url) / "label-smoothing" / "seed-0"
    assert (stopped / "checkpoint.pt").exists()
    assert not (stopped / "result.json").exists()

    results, _ = finished_study
    assert comparable(run_study(url)) == comparable(results)
    # One of the twelve epochs had been done twice if the checkpoint had not been read.
    assert saved == 12
    assert {file.name for file in stopped.iterdir()} == FILES
    assert comparable(read_results(f"{url}/results.json")) == comparable(results)
    # All of it is there now: nothing is trained again.
    run_study(url)
    assert saved == 12


def test_another_study_there_is_left_alone(url: str, run_study: Study) -> None:
    run_study(url, methods=("baseline",), seeds=(0,), epochs=1)
    with pytest.raises(ValueError, match=r"holds another study.*recipe\.epochs: 1 there, 2 now"):
        run_study(url, methods=("baseline",), seeds=(0,), epochs=2)


def test_the_commands_take_urls(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    quick = ["--epochs", "1", "--batch-size", "256"]
    assert (
        main(["compare", "digits", "--methods", "maxsup", "--seeds", "1", "--out", url, *quick])
        == 0
    )
    assert "report.html" in capsys.readouterr().out
    page = (UPath(url) / "report.html").read_text(encoding="utf-8")
    assert page.lower().startswith("<!doctype html>")
    run = f"{url}/maxsup/seed-0"
    assert main(["train", f"{run}/settings.json", "--out", f"{url}-again"]) == 0
    again = json.loads((UPath(f"{url}-again") / "result.json").read_text())
    assert again["values"] == json.loads((UPath(run) / "result.json").read_text())["values"]
    assert main(["train", "digits", "--out", "nope://bucket/run", *quick]) == 2
    assert "no store is known by nope://" in capsys.readouterr().err
