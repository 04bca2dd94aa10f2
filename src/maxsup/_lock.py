"""One process at a time writes to a directory.

The lock is a file in the directory that says which process holds it, and whose time that process
renews as a sign of life. It needs nothing of the file system but that a name is given once, and so
holds on shared ones too. It comes free with its process: on the same machine at once, as the
process is no more; on another one once no sign of life has been seen for a while.
"""

import contextlib
import dataclasses
import errno
import functools
import json
import os
import platform
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from maxsup._files import temporary_name

LOCK_FILE = "maxsup.lock"

SECONDS_BETWEEN_SIGNS = 2.0
"""How often a process renews its lock, and sees that it still has it."""
SECONDS_WITHOUT_SIGN = 20.0
"""After how long without one a process on another machine counts as dead."""
_SECONDS_BETWEEN_STARTS = 5.0
"""How far apart two processes of one id were started at least; clocks are corrected by less."""
_SECONDS_TO_LOOK_AGAIN = 0.2
_LEVELS = 3
"""A run lies two directories below its study."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Holder:
    """The process that holds a lock."""

    token: str
    """Drawn by chance for this lock."""
    host: str
    """Name of its machine."""
    machine: str
    """What is the same for processes that see each other's ids."""
    pid: int
    started: float
    """When the process started, in seconds since 1970."""
    since: str
    """When it took the lock."""
    launch: str = ""
    """The launch of torchrun that started it."""
    restarts: int = 0
    """How often torchrun had restarted it."""

    @classmethod
    def this_process(cls) -> "Holder":
        launch = os.environ.get("TORCHELASTIC_RUN_ID", "")
        return cls(
            token=uuid.uuid4().hex,
            host=platform.node(),
            machine=_machine(),
            pid=os.getpid(),
            started=psutil.Process().create_time(),
            since=datetime.now(UTC).isoformat(timespec="seconds"),
            launch="" if launch == "none" else launch,
            restarts=int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")),
        )

    def to_bytes(self) -> bytes:
        return (json.dumps(dataclasses.asdict(self), indent=1) + "\n").encode()


class HeldDirectory:
    """A directory that this process may write to until it is let go.

    Args:
        directory: The directory.
        token: The token of its lock; none where no lock can be kept.
        renews: Whether this process gives the signs of life.
    """

    def __init__(self, directory: Path, token: str | None, *, renews: bool) -> None:
        self.directory = directory
        self.token = token
        self._path = directory / LOCK_FILE
        self._renews = renews
        self.is_lost = False
        """Whether the directory was removed, or is another process's by now."""
        self._ends = threading.Event()
        self._thread: threading.Thread | None = None

    def check(self) -> None:
        """See that nobody has removed the directory or taken it over; it costs next to nothing.

        Raises:
            OSError: Somebody has.
        """
        if self.is_lost:
            what = "was taken over by another process"
            if not self._path.exists():
                what = "was removed or emptied"
            raise _lost(self.directory, what)

    def check_now(self) -> None:
        """The same, and looks at the disk for it."""
        self._look()
        self.check()

    def _look(self) -> None:
        if self.token is None or self.is_lost:
            return
        try:
            if self._is_gone():
                self._ends.wait(_SECONDS_TO_LOOK_AGAIN)
                self.is_lost = self._is_gone()
            if self._renews and not self.is_lost:
                os.utime(self._path)
        except OSError:
            pass  # what cannot be seen now is seen at the next look

    def _is_gone(self) -> bool:
        try:
            return _read(self._path).token not in (self.token, "")
        except FileNotFoundError:
            return True

    def _start(self) -> None:
        if self.token is not None:
            self._thread = threading.Thread(target=self._keep_looking, daemon=True)
            self._thread.start()

    def _keep_looking(self) -> None:
        while not self._ends.wait(SECONDS_BETWEEN_SIGNS):
            self._look()

    def _let_go(self) -> None:
        self._ends.set()
        if self._thread is not None:
            self._thread.join()
        if self._renews and self.token is not None:
            with contextlib.suppress(OSError):
                if _read(self._path).token == self.token:
                    self._path.unlink()


def _lost(directory: Path, what: str) -> FileNotFoundError:
    return FileNotFoundError(
        errno.ENOENT,
        f"the directory {what} while it was written to; nothing more is written there. The same "
        "command starts again, with what is still there",
        str(directory),
    )


_held: dict[Path, tuple[int, HeldDirectory]] = {}
"""What this process holds; a forked one does not."""


@contextlib.contextmanager
def hold(directory: Path, say: Say) -> Iterator[HeldDirectory]:
    """Make a directory this process's own for a while; one within its own is already.

    Args:
        directory: The directory, which is made if need be.
        say: Is told what cannot be promised, and what is waited for.

    Raises:
        ValueError: Another process holds it, or this one does already.
        OSError: The lock cannot be written.
    """
    above = _held_above(directory)
    if above is not None:
        if _key(above.directory) == _key(directory):
            raise ValueError(
                f"{directory} is in use by another call in this same process. Wait until that is "
                "done, or name another directory."
            )
        # One that was removed is not made again by what begins within it.
        above.check_now()
        directory.mkdir(parents=True, exist_ok=True)
        yield above
        return
    check_free(directory, say)
    directory.mkdir(parents=True, exist_ok=True)
    held = HeldDirectory(directory, None, renews=True)
    if _is_local(directory):
        holder = Holder.this_process()
        try:
            _take(directory / LOCK_FILE, holder, say)
        except FileNotFoundError:
            if directory.exists():
                raise
            raise _lost(directory, "was removed") from None
        held = HeldDirectory(directory, holder.token, renews=True)
    else:
        say(
            f"{directory}: no lock can be kept in such a store. Of two processes that write there "
            "at the same time neither would notice, and both would spoil the other's files."
        )
    with _registered(held):
        yield held


@contextlib.contextmanager
def join(directory: Path, token: str | None) -> Iterator[HeldDirectory]:
    """Write to a directory on behalf of the process that holds it, maybe on another machine.

    Args:
        directory: The directory.
        token: That of its lock; none where no lock can be kept.
    """
    with _registered(HeldDirectory(directory, token, renews=False)) as held:
        yield held


def check_free(directory: Path, say: Say) -> None:
    """See that no other process holds a directory or one above it.

    Raises:
        ValueError: One does; the message says which, and since when.
    """
    if not _is_local(directory) or _held_above(directory) is not None:
        return
    if directory.exists() and not directory.is_dir():
        raise ValueError(f"{directory} is a file. Name a directory with --out.")
    for place in _with_those_above(directory):
        with contextlib.suppress(FileNotFoundError):
            _check_dead(place / LOCK_FILE, say)


@contextlib.contextmanager
def _registered(held: HeldDirectory) -> Iterator[HeldDirectory]:
    key = _key(held.directory)
    _held[key] = (os.getpid(), held)
    held._start()
    try:
        yield held
    finally:
        del _held[key]
        held._let_go()


def _held_above(directory: Path) -> HeldDirectory | None:
    for place in _with_those_above(directory):
        pid, held = _held.get(_key(place), (0, None))
        if held is not None and pid == os.getpid():
            return held
    return None


def _with_those_above(directory: Path) -> list[Path]:
    place = _key(directory)
    return [place, *list(place.parents)[: _LEVELS - 1]]


def _is_local(directory: object) -> bool:
    return isinstance(directory, Path)


def _key(directory: Path) -> Path:
    return directory.resolve() if _is_local(directory) else directory


def _take(path: Path, holder: Holder, say: Say) -> None:
    """Give the name to a file that is complete already."""
    own = temporary_name(path)
    try:
        own.write_bytes(holder.to_bytes())
        while True:
            try:
                _give_name(own, path)
            except FileExistsError:
                try:
                    there = _read(path)
                    if there == holder:
                        return  # a network's file system may have done it and said that it has not
                    _check_dead(path, say)
                    _remove(path, there.token)
                except FileNotFoundError:
                    continue
            else:
                return
    finally:
        own.unlink(missing_ok=True)


def _give_name(own: Path, path: Path) -> None:
    try:
        os.link(own, path)
    except FileExistsError:
        raise
    except OSError:
        # Not all file systems have links.
        with path.open("xb") as file:
            file.write(own.read_bytes())


def _remove(path: Path, token: str) -> None:
    """Remove a lock unless it has become another's meanwhile."""
    aside = temporary_name(path)
    path.rename(aside)
    there = _read(aside)
    if there.token not in (token, ""):
        with contextlib.suppress(OSError):
            _give_name(aside, path)
    aside.unlink(missing_ok=True)


def _read(path: Path) -> Holder:
    """Who holds the lock; one without a token where the file does not say."""
    # Opened anew each time: what other machines wrote is seen then.
    text = path.read_bytes()
    try:
        return Holder(**json.loads(text))
    except (ValueError, TypeError):
        return Holder("", "another machine", "", 0, 0.0, "")


def _check_dead(path: Path, say: Say) -> None:
    """See that the process that holds a lock is no more.

    Raises:
        ValueError: It lives.
        FileNotFoundError: The lock is no longer there.
    """
    holder = _read(path)
    if holder.machine == _machine():
        lives = _lives_here(holder)
    elif holder.launch and holder.launch == Holder.this_process().launch:
        # torchrun ends all processes before it starts them again.
        lives = holder.restarts >= Holder.this_process().restarts
    else:
        lives = _gives_signs(path, holder, say)
    if lives:
        raise ValueError(
            f"{path.parent} is in use: process {holder.pid} on {holder.host} has been writing to "
            f"it since {holder.since}. Wait until that is done, end it, or name another directory "
            "with --out."
        )


def _lives_here(holder: Holder) -> bool:
    try:
        process = psutil.Process(holder.pid)
        is_same = abs(process.create_time() - holder.started) < _SECONDS_BETWEEN_STARTS
        return is_same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


_found_dead: set[str] = set()


def _gives_signs(path: Path, holder: Holder, say: Say) -> bool:
    """Whether a process that cannot be seen from here renews its lock.

    By whether the file's time changes, not by how old it is: clocks differ.
    """
    if holder.token and holder.token in _found_dead:
        return False
    say(
        f"{path.parent} was being written to by process {holder.pid} on {holder.host}; waiting up "
        f"to {SECONDS_WITHOUT_SIGN:.0f} s for a sign of life"
    )
    first = _time_of(path)
    end = time.monotonic() + SECONDS_WITHOUT_SIGN
    while time.monotonic() < end:
        time.sleep(SECONDS_BETWEEN_SIGNS / 4)
        if _time_of(path) != first:
            return True
    _found_dead.add(holder.token)
    return False


def _time_of(path: Path) -> Any:
    # Of an open file: what is known of a name may be old on a network's file system.
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
    return status.st_mtime_ns, status.st_ino


@functools.cache
def _machine() -> str:
    """What is the same for processes whose ids mean the same."""
    parts = [platform.node()]
    with contextlib.suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        # A container has ids of its own.
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return " ".join(parts)
