"""One process at a time in a directory."""

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.forked import ForkedProcess
from upath import UPath

from maxsup import _lock
from maxsup._lock import LOCK_FILE, Holder, check_free, hold, join


def silent(text: str) -> None:
    pass


def hold_for_long(directory: str) -> None:
    with hold(Path(directory), silent):
        (Path(directory) / "held").touch()
        time.sleep(600)


def hold_for_a_moment(directory: str, count: str) -> int:
    """Hold it as often as it is free; nobody else may be there meanwhile."""
    place = Path(directory)
    for _ in range(int(count)):
        try:
            with hold(place, silent):
                (place / "inside").touch(exist_ok=False)
                time.sleep(0.002)
                (place / "inside").unlink()
        except ValueError:
            time.sleep(0.001)
    return 0


@pytest.fixture
def swift(monkeypatch: pytest.MonkeyPatch) -> None:
    """Signs of life come often, and are soon missed."""
    monkeypatch.setattr(_lock, "SECONDS_BETWEEN_SIGNS", 0.05)
    monkeypatch.setattr(_lock, "SECONDS_WITHOUT_SIGN", 0.5)


def test_second_process_is_refused_until_the_first_is_killed(tmp_path: Path) -> None:
    process = ForkedProcess(hold_for_long, (str(tmp_path),), log=tmp_path / "log")
    process.wait_until((tmp_path / "held").exists)
    holder = Holder(**json.loads((tmp_path / LOCK_FILE).read_text()))
    message = rf"is in use: process {holder.pid} on \S+ has been writing to it since 20\d\d-.*--out"
    with pytest.raises(ValueError, match=message), hold(tmp_path, silent):
        pass
    # Also for a run of a study that is in use.
    with pytest.raises(ValueError, match=message):
        check_free(tmp_path / "maxsup" / "seed-0", silent)
    process.kill()
    check_free(tmp_path, silent)
    with hold(tmp_path, silent):
        assert (tmp_path / LOCK_FILE).exists()
    assert not (tmp_path / LOCK_FILE).exists()


def test_processes_that_come_at_once_are_never_there_together(tmp_path: Path) -> None:
    place = tmp_path / "place"
    processes = [
        ForkedProcess(hold_for_a_moment, (str(place), "40"), log=tmp_path / f"{number}")
        for number in range(3)
    ]
    for process in processes:
        assert process.wait() == 0, process.output()
    assert list(place.iterdir()) == []


def leave(directory: Path, **changes: object) -> Holder:
    """The lock of a process that was killed."""
    holder = {**vars(Holder.this_process()), "pid": 2**22 + 1, **changes}
    (directory / LOCK_FILE).write_text(json.dumps(holder))
    return Holder(**holder)


@pytest.mark.usefixtures("swift")
@pytest.mark.parametrize(
    "changes", [{}, {"machine": "far away"}, {"pid": os.getpid(), "started": 5.0}]
)
def test_lock_of_a_dead_process_is_taken_over(tmp_path: Path, changes: dict[str, object]) -> None:
    left = leave(tmp_path, **changes)
    said: list[str] = []
    with hold(tmp_path, said.append):
        assert json.loads((tmp_path / LOCK_FILE).read_text())["token"] != left.token
    assert [path.name for path in tmp_path.iterdir()] == []
    assert len(said) == (1 if "machine" in changes else 0)


@pytest.mark.usefixtures("swift")
@pytest.mark.parametrize("content", [b"", b"{", b'{"pid": 3}', b"[]"])
def test_lock_that_says_nothing_is_taken_over(tmp_path: Path, content: bytes) -> None:
    (tmp_path / LOCK_FILE).write_bytes(content)
    with hold(tmp_path, silent):
        pass


@pytest.mark.usefixtures("swift")
def test_process_on_another_machine_that_gives_signs_is_left_alone(tmp_path: Path) -> None:
    """Whatever its clock says."""
    leave(tmp_path, machine="far away", host="node7")
    ended = threading.Event()

    def live() -> None:
        seconds = 0
        while not ended.wait(0.05):
            seconds += 1
            os.utime(tmp_path / LOCK_FILE, (seconds, seconds))

    thread = threading.Thread(target=live)
    thread.start()
    try:
        with pytest.raises(ValueError, match="on node7 has been writing"), hold(tmp_path, silent):
            pass
    finally:
        ended.set()
        thread.join()


def test_torchrun_takes_over_from_what_it_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On whatever machine that was."""
    leave(tmp_path, machine="far away", launch="run7", restarts=0)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "run7")
    with pytest.raises(ValueError, match="is in use"):
        check_free(tmp_path, silent)
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "1")
    with hold(tmp_path, silent):
        pass


def test_own_runs_are_within_the_lock_of_their_study(tmp_path: Path) -> None:
    run = tmp_path / "maxsup" / "seed-0"
    with hold(tmp_path, silent) as study:
        with hold(run, silent) as held:
            assert held is study
        assert not list(run.iterdir())
        with (
            pytest.raises(ValueError, match="another call in this same process"),
            hold(tmp_path, silent),
        ):
            pass


def remove(directory: Path) -> None:
    directory.rename(directory.with_name("elsewhere"))


def take_over(directory: Path) -> None:
    leave(directory, token="of another")


@pytest.mark.usefixtures("swift")
@pytest.mark.parametrize(
    ("happens", "message"),
    [
        (remove, "was removed or emptied while it was written to"),
        (lambda directory: (directory / LOCK_FILE).unlink(), "was removed or emptied"),
        (take_over, "was taken over by another process"),
    ],
)
def test_what_happens_to_a_held_directory_is_noticed(
    tmp_path: Path, happens: Callable[[Path], None], message: str
) -> None:
    place = tmp_path / "place"
    with hold(place, silent) as held:
        held.check_now()
        happens(place)
        end = time.monotonic() + 60
        while not held.is_lost and time.monotonic() < end:
            time.sleep(0.01)
        with pytest.raises(FileNotFoundError, match=message) as caught:
            held.check()
        assert caught.value.filename == str(place)
        with pytest.raises(FileNotFoundError), hold(place / "maxsup", silent):
            pass
    assert not (place / "maxsup").exists()
    assert (place / LOCK_FILE).exists() == (happens is take_over)


def test_helper_of_a_study_stops_when_another_has_taken_it(tmp_path: Path) -> None:
    left = leave(tmp_path)
    with join(tmp_path, left.token) as held:
        held.check_now()
        # The run's directory is free to it, as it writes for the study.
        check_free(tmp_path / "maxsup" / "seed-0", silent)
        take_over(tmp_path)
        with pytest.raises(FileNotFoundError, match="taken over"):
            held.check_now()
    assert (tmp_path / LOCK_FILE).exists()


def test_store_without_locks_says_what_it_cannot_promise() -> None:
    place = UPath("memory://locks")
    said: list[str] = []
    check_free(place, said.append)  # type: ignore[arg-type]
    with hold(place, said.append) as held:  # type: ignore[arg-type]
        held.check_now()
    (text,) = said
    assert text.startswith("memory://locks: no lock can be kept in such a store")


def test_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="file is a file"):
        check_free(tmp_path / "file", silent)


def test_directory_that_is_removed_while_its_lock_is_taken_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "study"

    def remove_first(path: Path, *rest: object) -> None:
        path.parent.rmdir()
        path.with_name("own").write_bytes(b"")

    monkeypatch.setattr("maxsup._lock._take", remove_first)
    with (
        pytest.raises(FileNotFoundError, match="was removed while it was written to"),
        hold(place, print),
    ):
        pass
    assert not place.exists()
