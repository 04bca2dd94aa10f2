"""How far a training is, and what is told of it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from maxsup.training import EpochSums, Position, RunResult

from .conftest import StopAfter

Run = Callable[..., RunResult]


def test_position_survives_a_checkpoint(tmp_path: Path) -> None:
    sums = EpochSums(3, (1.5, 2.5), ((1.0,) * 4, (0.5,) * 4), 7, 20, 0.25, {"lr": 0.1})
    position = Position("d").after_epoch("b", {"loss": 1.0}).within_epoch(sums)
    torch.save(position.to_content(), tmp_path / "c.pt")
    content = torch.load(tmp_path / "c.pt", weights_only=True)
    assert Position.from_content(content) == position
    assert position.history == ({"epoch": 1, "loss": 1.0},)


def test_sums_are_shared_again_by_another_number_of_processes() -> None:
    sums = EpochSums(loss=(1.0, 2.0), mechanism=((3.0, 4.0, 5.0, 6.0), (0.5,) * 4))
    first, second = [1.0, 3.0, 4.0, 5.0, 6.0], [2.0, 0.5, 0.5, 0.5, 0.5]
    assert [sums.of_process(rank, 2) for rank in (0, 1)] == [first, second]
    both = [3.0, 3.5, 4.5, 5.5, 6.5]
    assert [sums.of_process(rank, 3) for rank in (0, 1, 2)] == [both, [0.0] * 5, [0.0] * 5]
    assert EpochSums().of_process(0, 1) == [0.0] * 5


@pytest.mark.parametrize(("found", "which"), [(99, "a newer"), (1, "an earlier")])
def test_position_of_another_format_is_refused(found: int, which: str) -> None:
    content = Position("d").to_content() | {"format": found}
    with pytest.raises(
        ValueError, match=f"written by {which} version of maxsup, in format {found}"
    ):
        Position.from_content(content)


def test_checkpoint_of_version_0_1_is_refused_with_a_way_out(
    run_training: Run, tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_training(tmp_path, on_checkpoint=StopAfter(1))
    content = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    content["facts"] = content.pop("position")
    torch.save(content, tmp_path / "checkpoint.pt")
    with pytest.raises(ValueError, match=r"an earlier version.*Remove it to train from the start"):
        run_training(tmp_path)


def test_hook_is_told_of_every_checkpoint(run_training: Run, tmp_path: Path) -> None:
    told: list[Position] = []
    result = run_training(tmp_path, checkpoint_steps=4, on_checkpoint=told.append)
    # Nine steps an epoch; a checkpoint after the fourth, the eighth and the last.
    assert [(each.epoch, each.sums.step) for each in told] == [
        (0, 4), (0, 8), (1, 0), (1, 4), (1, 8), (2, 0),
    ]  # fmt: skip
    assert list(map(dict, told[-1].history)) == result.history
    assert told[-1].batches == result.batches


def test_history_is_restored_without_its_file(run_training: Run, tmp_path: Path) -> None:
    whole = run_training(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run_training(tmp_path / "parts", on_checkpoint=StopAfter(1))
    (tmp_path / "parts" / "metrics.jsonl").unlink()
    parts = run_training(tmp_path / "parts")
    losses = [[row["train_loss"] for row in each.history] for each in (whole, parts)]
    assert losses[0] == losses[1]
    rows = (tmp_path / "parts" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(row)["epoch"] for row in rows] == [1, 2]


def test_result_of_version_0_1_is_read(run_training: Run, tmp_path: Path) -> None:
    """Whose reliability stood in the JSON file."""
    result = run_training(tmp_path)
    content = json.loads((tmp_path / "result.json").read_text())
    del content["format"], content["sha256"]
    count, confidence, accuracy = result.records["reliability"].tolist()
    bins = {"count": list(map(int, count)), "confidence": confidence, "accuracy": accuracy}
    (tmp_path / "result.json").write_text(json.dumps(content | {"reliability": bins}))
    kept = RunResult.load(tmp_path)
    assert kept is not None
    assert torch.equal(kept.records["reliability"], result.records["reliability"])


def test_result_of_a_newer_version_says_so(run_training: Run, tmp_path: Path) -> None:
    run_training(tmp_path)
    content = json.loads((tmp_path / "result.json").read_text())
    del content["sha256"]
    (tmp_path / "result.json").write_text(json.dumps(content | {"format": 99}))
    with pytest.raises(ValueError, match="written by a newer version of maxsup, in format 99"):
        run_training(tmp_path)
