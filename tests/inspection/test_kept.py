"""What an inspection keeps: recognised where it is damaged, made again only where it must be."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.forked import ForkedProcess
from torch import distributed

from maxsup.inspection import ANALYSES, Inspection, InspectionSettings, _look, _subject, inspect
from maxsup.results import Results
from maxsup.study import record

Study = tuple[Results, Path]
CHEAP = ("confidence", "logits")
SKIP = tuple(each.name for each in ANALYSES if each.name not in CHEAP)


def run_of(study: Study) -> list[str]:
    return [str(study[1] / "label-smoothing" / "seed-0")]


def counted(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> list[object]:
    """The calls of a function from now on."""
    calls: list[object] = []
    function = getattr(module, name)

    def call(*arguments: Any, **named: Any) -> Any:
        calls.append(arguments)
        return function(*arguments, **named)

    monkeypatch.setattr(module, name, call)
    return calls


@pytest.mark.parametrize("how", ["changed", "cut off", "without its line"])
def test_outputs_that_are_damaged_are_made_anew_with_a_word(
    study: Study, tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = InspectionSettings(resamples=0, skip=SKIP)
    first = inspect(run_of(study), settings, tmp_path)
    (file,) = tmp_path.rglob("*outputs-test.safetensors")
    content = bytearray(file.read_bytes())
    if how == "without its line":
        (file.parent / "SHA256SUMS").unlink()
    else:
        content[-3] ^= 1
        file.write_bytes(content if how == "changed" else content[:-3])
    for each in tmp_path.rglob("found-*.json"):
        each.unlink()
    said: list[str] = []
    passes = counted(monkeypatch, _subject, "model_outputs")
    again = inspect(run_of(study), settings, tmp_path, announce=said.append)
    assert json.dumps(again) == json.dumps(first)
    assert len(passes) == (2 if how == "without its line" else 1)  # training outputs have one too
    assert any(str(file) in each and "made anew" in each for each in said)


def test_findings_without_a_digest_are_damaged(study: Study, tmp_path: Path) -> None:
    settings = InspectionSettings(resamples=0, skip=SKIP)
    first = inspect(run_of(study), settings, tmp_path)
    (file,) = tmp_path.rglob("found-logits.json")
    file.write_text(file.read_text().replace('"sha256"', '"sha257"').replace("0.1", "0.2"))
    said: list[str] = []
    again = inspect(run_of(study), settings, tmp_path, announce=said.append)
    assert json.dumps(again) == json.dumps(first)
    assert any("found-logits.json" in each and "made anew" in each for each in said)


def test_other_ids_and_shapes_are_other_predictions(tmp_path: Path) -> None:
    labels = np.arange(20) % 2
    logits = np.random.default_rng(0).normal(size=(20, 2))
    found = []
    for ids in (np.arange(20), np.arange(20)[::-1].copy()):
        record(tmp_path / "in", "mine", 0, logits, labels, ids=ids)
        (model,) = inspect(
            [str(tmp_path / "in")], InspectionSettings(resamples=0), tmp_path / "out"
        )["models"]
        found.append(model["values"]["test_temperature"])
    # Which half a sample is in hangs on its id.
    assert found[0] != found[1]


def test_other_number_of_resamples_makes_draws_alone(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(resamples: int, where: Path | None = tmp_path) -> Inspection:
        asked = InspectionSettings(resamples=resamples, skip=("grad-cam", "probe"))
        return inspect(run_of(study), asked, where)

    look(5)
    analysed: list[str] = []
    ran = [(each, each.run) for each in ANALYSES if each.name not in ("grad-cam", "probe")]
    for each, run in ran:

        def note(subject: Any, settings: Any, each: Any = each, run: Any = run) -> Any:
            analysed.append(each.name)
            return run(subject, settings)

        object.__setattr__(each, "run", note)
    try:
        drawn = counted(monkeypatch, _look, "_measured")
        fewer, more = look(3), look(8)
    finally:
        for each, run in ran:
            object.__setattr__(each, "run", run)
    # Its draws need what it is computed of; all else has been found.
    assert analysed == ["collapse"]
    assert len(drawn) == 3  # the draws from the sixth on
    for resamples, found in ((3, fewer), (8, more)):
        assert found["intervals"] == look(resamples, None)["intervals"]


def look_together(rank: int, directory: str, run: str) -> None:
    distributed.init_process_group(
        "gloo", init_method=f"file://{directory}/meet", rank=rank, world_size=2
    )
    passes: list[int] = []
    through = _subject.model_outputs

    def note(*arguments: Any, **named: Any) -> Any:
        for outputs in through(*arguments, **named):
            passes.append(len(outputs))
            yield outputs

    _subject.model_outputs = note  # type: ignore[assignment]
    found = inspect([run], InspectionSettings(resamples=0, skip=SKIP), f"{directory}/out")
    Path(directory, f"found-{rank}.json").write_text(json.dumps([found, sum(passes)]))
    distributed.destroy_process_group()


def test_two_processes_share_the_passes_and_find_what_one_finds(
    study: Study, tmp_path: Path
) -> None:
    workers = [
        ForkedProcess(
            look_together,
            (rank, str(tmp_path), run_of(study)[0]),
            log=tmp_path / f"{rank}.log",
            environment={"GLOO_SOCKET_IFNAME": "lo"},
        )
        for rank in (0, 1)
    ]
    for worker in workers:
        assert worker.wait() == 0, worker.output()
    alone = inspect(run_of(study), InspectionSettings(resamples=0, skip=SKIP), tmp_path / "alone")
    together: Sequence[Any] = [
        json.loads((tmp_path / f"found-{rank}.json").read_text()) for rank in (0, 1)
    ]
    assert sum(samples for _, samples in together) == 540 + 1257
    for found, samples in together:
        assert 0 < samples < 540 + 1257
        for part in ("models", "intervals", "notes"):
            assert found[part] == json.loads(json.dumps(alone[part]))  # type: ignore[literal-required]
