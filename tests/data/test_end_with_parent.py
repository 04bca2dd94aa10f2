"""Processes that read photographs end with the one that started them, also when it is killed."""

import os
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch
from tests.forked import ForkedProcess

from maxsup.data._corrupt import Corrupt
from maxsup.data._entry import Pixels
from maxsup.data.photographs import _end_with_parent
from maxsup.data.photographs._end_with_parent import EndWithParent
from maxsup.data.photographs._reading import Job, PhotographReader, PlannedBatch

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are forked")

SECONDS = 30


def wait_until_over(pids: list[int]) -> None:
    end = time.monotonic() + SECONDS
    while alive := [pid for pid in pids if is_alive(pid)]:
        assert time.monotonic() < end, f"{alive} live on"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class NoFiles:
    """In place of photographs."""

    def read(self, item: object) -> bytes:
        return b""

    def describe(self, item: object, reason: str) -> Corrupt:
        raise AssertionError(reason)


class ReadForEver:
    """Leaves the number of its process and reads until the world ends."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def __call__(self, content: bytes, job: Job, index: int) -> Pixels:
        (self.directory / str(os.getpid())).touch()
        time.sleep(10 * SECONDS)
        raise AssertionError


def read_photographs(directory: str, without_linux: bool) -> None:
    if without_linux:
        _end_with_parent._ask_linux = lambda: None  # type: ignore[attr-defined]
    reader = PhotographReader(NoFiles(), ReadForEver(Path(directory)), 2, torch.device("cpu"))  # type: ignore[arg-type]
    for _ in reader.read(PlannedBatch(Job([0], 4), ()) for _ in range(8)):
        pass


@pytest.mark.parametrize("without_linux", [False, True], ids=["asked Linux", "looking"])
def test_readers_end_with_a_killed_training(tmp_path: Path, without_linux: bool) -> None:
    pids = tmp_path / "pids"
    pids.mkdir()
    process = ForkedProcess(read_photographs, (str(pids), without_linux), log=tmp_path / "log.txt")
    process.wait_until(lambda: len(list(pids.iterdir())) == 2)
    found = [int(path.name) for path in pids.iterdir()]
    assert all(map(is_alive, found))
    process.kill()
    wait_until_over(found)


def leave_an_orphan(directory: str) -> None:
    """End before the process that this one has started asks to end with it."""
    end_with_parent, parent = EndWithParent(), os.getpid()
    if os.fork() == 0:
        (Path(directory) / str(os.getpid())).touch()
        while os.getppid() == parent:
            time.sleep(0.01)
        end_with_parent(0)
        (Path(directory) / "lived on").touch()
        os._exit(0)
    while not list(Path(directory).iterdir()):
        time.sleep(0.01)


def test_reader_that_starts_late_sees_that_its_parent_is_gone(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    pids.mkdir()
    process = ForkedProcess(leave_an_orphan, (str(pids),), log=tmp_path / "log.txt")
    assert process.wait() == 0, process.output()
    (pid,) = [int(path.name) for path in pids.iterdir() if path.name.isdigit()]
    wait_until_over([pid])
    assert not (pids / "lived on").exists()


def read_in_a_thread(directory: str) -> None:
    """Start readers in a thread that ends, and go on reading."""
    import threading

    reader = PhotographReader(NoFiles(), ReadOnce(), 1, torch.device("cpu"))  # type: ignore[arg-type]

    def read() -> int:
        planned = (PlannedBatch(Job([0], 4), ()) for _ in range(3))
        return sum(len(batch.kept) for batch, _ in reader.read(planned))

    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
    time.sleep(0.2)
    assert read() == 3
    (Path(directory) / "done").touch()


class ReadOnce:
    def __call__(self, content: bytes, job: Job, index: int) -> Pixels:
        return torch.zeros(job.size, job.size, 3, dtype=torch.uint8).numpy()


def test_readers_outlive_the_thread_that_started_them(tmp_path: Path) -> None:
    process = ForkedProcess(read_in_a_thread, (str(tmp_path),), log=tmp_path / "log.txt")
    assert process.wait() == 0, process.output()
    assert (tmp_path / "done").exists()
