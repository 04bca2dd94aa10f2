"""Several processes, as torchrun starts them on one machine or many."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from tests.forked import CommandProcess

ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
    # Or restarted processes read, in the store that they share, where their forerunners were.
    "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",
}
SECONDS = 240
# Without batch-norm, which takes its statistics over what a process has.
SETTINGS = (
    *("--model", "test_vit", "--batch-size", "24", "--epochs", "4", "--lr", "0.05"),
    *("--lr-schedule", "constant", "--warmup-epochs", "0", "--clip-norm", "1"),
)
PHOTOGRAPHS = (
    *("--random-resized-crop", "--flip", "--crop-padding", "0", "--cutout", "0"),
    *("--image-size", "32", "--workers", "1", "--rand-augment", "rand-m9-mstd0.5-inc1"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """83 and 31 photographs: no number of processes divides them."""
    root = tmp_path_factory.mktemp("photographs")
    generator = np.random.default_rng(0)
    for split, counts in (("train", (42, 41)), ("test", (16, 15))):
        for name, count, level in zip(("cat", "dog"), counts, (90, 150), strict=True):
            (root / split / name).mkdir(parents=True)
            for number in range(count):
                pixels = generator.integers(level - 80, level + 80, (40, 60, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(root / split / name / f"{number}.jpg")
    return root


def words(folder: Path, out: Path, *settings: str) -> list[str]:
    return ["train", "digits", "--data", str(folder), "--out", str(out), *SETTINGS, *settings]


def train(folder: Path, out: Path, *settings: str, processes: int = 1) -> None:
    """Train in processes that find each other as those of torchrun do."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    started = []
    for rank in range(processes):
        ranks = {"RANK": str(rank), "LOCAL_RANK": str(rank), "MASTER_ADDR": "127.0.0.1"}
        sizes = {"WORLD_SIZE": str(processes), "LOCAL_WORLD_SIZE": str(processes)}
        several = {**ranks, **sizes, "MASTER_PORT": port} if processes > 1 else {}
        log = out.with_name(f"{out.name}-{rank}.log")
        started.append(
            CommandProcess(
                words(folder, out, *settings),
                cwd=out.parent,
                log=log,
                environment=ENVIRONMENT | several,
            )
        )
    for process in started:
        assert process.wait() == 0, process.output()


def rows(directory: Path) -> list[dict[str, float]]:
    found = [json.loads(row) for row in (directory / "metrics.jsonl").read_text().splitlines()]
    for row in found:
        del row["seconds"], row["images_per_second"]
    return found


def measures(directory: Path) -> dict[str, float]:
    values: dict[str, float] = json.loads((directory / "result.json").read_text())["values"]
    return values


@pytest.fixture(scope="module")
def alone(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training in one process, with the joined batch."""
    out: Path = tmp_path_factory.mktemp("alone")
    train(folder, out, *PHOTOGRAPHS)
    return out


@pytest.fixture(scope="module")
def together(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in two processes."""
    out: Path = tmp_path_factory.mktemp("together")
    train(folder, out, *PHOTOGRAPHS, processes=2)
    return out


def test_two_processes_train_as_one_with_the_joined_batch(alone: Path, together: Path) -> None:
    for ours, theirs in zip(rows(together), rows(alone), strict=True):
        assert ours == pytest.approx(theirs, rel=1e-6, abs=1e-6)
    found, expected = measures(together), measures(alone)
    assert {name for name, value in found.items() if value is None} == {
        name for name, value in expected.items() if value is None
    }
    for name, value in expected.items():
        if value is not None:
            assert found[name] == pytest.approx(value, rel=1e-4, abs=1e-6), name
    for count in ("test_accuracy", "train_accuracy"):
        assert found[count] == expected[count]
    weights = [load_file(place / "model.safetensors") for place in (together, alone)]
    for name, value in weights[0].items():
        assert torch.allclose(value, weights[1][name], atol=1e-5), name


def test_two_processes_learn_from_a_teacher_as_one(
    folder: Path, alone: Path, tmp_path: Path
) -> None:
    taught = (*PHOTOGRAPHS, "--teacher", str(alone), "--mixup", "0.5", "--epochs", "2")
    train(folder, tmp_path / "one", *taught)
    train(folder, tmp_path / "two", *taught, processes=2)
    for ours, theirs in zip(rows(tmp_path / "two"), rows(tmp_path / "one"), strict=True):
        assert ours == pytest.approx(theirs, rel=1e-5, abs=1e-6)


def test_killed_process_is_restarted_from_the_last_checkpoint(
    folder: Path, together: Path, tmp_path: Path
) -> None:
    killed, log = tmp_path / "killed", tmp_path / "log.txt"
    launcher = (
        *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"),
        *("--max-restarts", "2", "--monitor-interval", "0.2", "-m", "maxsup"),
    )
    # To a file: a pipe would be held open by whatever outlives the launcher.
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*launcher, *words(folder, killed, *PHOTOGRAPHS, "--checkpoint-steps", "1")],
            env=os.environ | ENVIRONMENT,
            stdout=output,
            stderr=output,
        )
    try:
        end = time.monotonic() + SECONDS
        while not (killed / "checkpoint.pt").exists():
            assert process.poll() is None, log.read_text()[-4000:]
            assert time.monotonic() < end, log.read_text()[-4000:]
            time.sleep(0.02)
        trainings = [
            child
            for child in psutil.Process(process.pid).children()
            if "train" in child.cmdline() and child.status() != psutil.STATUS_ZOMBIE
        ]
        assert len(trainings) == 2
        trainings[1].send_signal(signal.SIGKILL)
        assert process.wait(timeout=SECONDS) == 0, log.read_text()[-4000:]
    finally:
        for child in psutil.Process().children(recursive=True):
            if child.is_running() and str(killed) in " ".join(_command_line(child)):
                child.kill()
    assert rows(killed) == rows(together)
    assert measures(killed) == measures(together)
    weights = [load_file(place / "model.safetensors") for place in (together, killed)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def _command_line(process: psutil.Process) -> list[str]:
    try:
        found: list[str] = process.cmdline()
    except psutil.Error:
        return []
    return found
