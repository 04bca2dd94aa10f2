"""The outputs that a run keeps."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.evaluation.test_measures import assert_equal, everything, random_outputs
from tests.forked import ForkedProcess
from torch import distributed

from maxsup.data import DataSettings, load_images
from maxsup.evaluation import (
    MEASURES,
    RECORDS,
    Found,
    Outputs,
    OutputsKeeper,
    Sizes,
    bytes_to_keep,
    load_outputs,
    measure_outputs,
    measures_on,
    save_outputs,
)
from maxsup.recipes import get_recipe
from maxsup.study import StudySettings
from maxsup.training import RunResult, RunSettings, dry_run, train


def run(directory: Path, *, data: DataSettings | None = None, **changes: object) -> RunResult:
    recipe = dataclasses.replace(get_recipe("digits"), epochs=1, batch_size=256, **changes)  # type: ignore[arg-type]
    data = data or DataSettings("digits", label_noise=0.4)
    return train(RunSettings("maxsup", 0, recipe, data), directory)


def test_kept_outputs_give_the_reported_measures(tmp_path: Path) -> None:
    result = run(tmp_path)
    outputs = load_outputs(tmp_path / "outputs-test.safetensors")
    found = measure_outputs([outputs], "test", measures_on("test")).values
    for name, value in found.items():
        assert value == pytest.approx(result.values[name], rel=1e-12), name
    test = load_images(DataSettings("digits")).test
    assert torch.equal(outputs.true_labels, test.true_labels)
    assert torch.equal(outputs.ids, test.ids)


def test_kept_outputs_of_the_validation_part(tmp_path: Path) -> None:
    settings = DataSettings("digits", validation=0.2, label_noise=0.4)
    result = run(tmp_path, data=settings)
    outputs = load_outputs(tmp_path / "outputs-validation.safetensors")
    data = load_images(settings)
    assert data.validation is not None
    assert torch.equal(outputs.ids, data.validation.ids)
    right = (outputs.logits.argmax(dim=1) == outputs.true_labels).double().mean()
    assert float(right) == pytest.approx(result.history[-1]["validation_accuracy"])
    assert not set(outputs.ids.tolist()) & set(data.train.ids.tolist())


def test_outputs_have_the_same_ids_in_every_run(tmp_path: Path) -> None:
    for seed in ("0", "1"):
        run(tmp_path / seed)
    first, second = (load_outputs(tmp_path / s / "outputs-test.safetensors") for s in ("0", "1"))
    assert torch.equal(first.ids, second.ids)
    assert torch.equal(first.labels, second.labels)


def test_outputs_are_not_kept_where_they_are_not_wanted(tmp_path: Path) -> None:
    with_them, without = run(tmp_path / "a"), run(tmp_path / "b", keep_outputs=False)
    assert not list((tmp_path / "b").glob("outputs-*"))
    assert with_them.values == without.values


def test_outputs_of_half_precision_take_half_the_bytes(tmp_path: Path) -> None:
    run(tmp_path / "bf16", precision="bf16")
    run(tmp_path / "fp32")
    logits = {
        name: load_file(tmp_path / name / "outputs-test.safetensors")["logits"]
        for name in ("bf16", "fp32")
    }
    assert logits["bf16"].dtype in (torch.bfloat16, torch.float16)
    assert logits["fp32"].dtype == torch.float32
    assert load_outputs(tmp_path / "bf16/outputs-test.safetensors").logits.dtype == torch.float32


@pytest.mark.parametrize(
    ("logits", "expected"),
    [
        (torch.tensor([[0.5, -2.0], [-torch.inf, 3.0]]), torch.float16),
        (torch.tensor([[1e30, 2.0**100]]).bfloat16().float(), torch.bfloat16),
        (torch.tensor([[0.1, torch.nan]]), torch.float32),
        (torch.tensor([[0.1]], dtype=torch.float64), torch.float64),
    ],
)
def test_outputs_lose_nothing(tmp_path: Path, logits: torch.Tensor, expected: torch.dtype) -> None:
    count = len(logits)
    ids = torch.arange(count) + 70_000
    outputs = Outputs(logits, torch.arange(count), torch.zeros(count).long(), ids)
    save_outputs(tmp_path / "o.safetensors", outputs)
    kept = load_file(tmp_path / "o.safetensors")
    assert kept["logits"].dtype == expected
    assert (kept["labels"].dtype, kept["ids"].dtype) == (torch.uint8, torch.int32)
    back = load_outputs(tmp_path / "o.safetensors")
    assert torch.equal(back.logits.nan_to_num(7.0), logits.nan_to_num(7.0))
    assert torch.equal(back.ids, ids)
    assert torch.equal(back.labels, outputs.labels)
    assert torch.equal(back.true_labels, outputs.true_labels)


def test_outputs_of_another_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no tensors")
    save_file({"weight": torch.zeros(2)}, tmp_path / "weights")
    for name in ("text", "weights"):
        with pytest.raises(ValueError, match="holds no outputs of a run"):
            load_outputs(tmp_path / name)


def test_size_of_outputs_is_foretold(tmp_path: Path) -> None:
    recipe = dataclasses.replace(get_recipe("digits"), epochs=1, batch_size=256)
    settings = RunSettings("maxsup", 0, recipe, DataSettings("digits"))
    foretold = dry_run(settings).outputs_bytes
    train(settings, tmp_path)
    size = (tmp_path / "outputs-test.safetensors").stat().st_size
    assert size == pytest.approx(foretold, rel=0.1)
    silent = dataclasses.replace(settings, recipe=dataclasses.replace(recipe, keep_outputs=False))
    assert dry_run(silent).outputs_bytes == 0
    assert bytes_to_keep(10, 1000, half=False) == 10 * (4000 + 4 + 4)


def measure_own_part(rank: int, directory: str, is_shared: bool) -> None:
    """What the second of two processes has is none, or every other sample."""
    distributed.init_process_group(
        "gloo", init_method=f"file://{directory}/meet", rank=rank, world_size=2
    )
    outputs = random_outputs()
    if is_shared:
        mine = torch.arange(len(outputs))[rank::2]
    else:
        mine = torch.arange(len(outputs) if rank == 0 else 0)
    parts = [outputs.select(index) for index in mine.split(9)] if len(mine) else []
    keeper = OutputsKeeper()
    sizes = Sizes(outputs.num_classes, outputs.num_features, torch.device("cpu"))
    found = measure_outputs(keeper.watch(parts), "test", MEASURES, RECORDS, sizes=sizes)
    kept = keeper.gather()
    content = {"ids": kept.ids, "logits": kept.logits, **found._asdict()}
    torch.save(content, f"{directory}/found-{rank}.pt")
    distributed.destroy_process_group()


@pytest.mark.parametrize("is_shared", [True, False])
def test_outputs_of_two_processes_are_those_of_one(tmp_path: Path, is_shared: bool) -> None:
    """Also where one of them has no sample at all."""
    workers = [
        ForkedProcess(
            measure_own_part,
            (rank, str(tmp_path), is_shared),
            log=tmp_path / f"{rank}.log",
            environment={"GLOO_SOCKET_IFNAME": "lo"},
        )
        for rank in (0, 1)
    ]
    for worker in workers:
        assert worker.wait() == 0, worker.output()
    outputs = random_outputs()
    alone = everything([outputs])
    for rank in (0, 1):
        together = torch.load(tmp_path / f"found-{rank}.pt", weights_only=True)
        assert_equal(Found(together["values"], together["records"]), alone)
    first = torch.load(tmp_path / "found-0.pt", weights_only=True)
    assert torch.equal(first["ids"], outputs.ids)
    assert torch.equal(first["logits"], outputs.logits)


def test_study_keeps_the_outputs_of_every_run(
    tmp_path: Path, tiny_study: Callable[..., StudySettings]
) -> None:
    from rich.console import Console

    from maxsup.study import compare

    compare(tiny_study(), tmp_path, console=Console(quiet=True))
    assert len(list(tmp_path.glob("*/seed-0/outputs-test.safetensors"))) == 2
