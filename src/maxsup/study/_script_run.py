"""One run of a study of somebody's script: started, followed, and what it leaves checked."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from maxsup._digests import DamagedFile, digest, read_object, with_digest
from maxsup._files import write_text
from maxsup.data.predictions._archive import read_archive
from maxsup.data.predictions._names import FILE_STEM
from maxsup.data.predictions._run import RunPredictions

PREDICTIONS_FILE = f"{FILE_STEM}.npz"
LOG_FILE = "log.txt"
DONE_FILE = "run.json"

_SUPERVISOR = Path(__file__).with_name("_supervise.py")
_SECONDS_BETWEEN_LOOKS = 0.1
_LAST_LINES = 3
_END_OF_LOG = 4096


@dataclass(frozen=True)
class ScriptRun:
    """All that is needed to run a script once, on this machine or another."""

    method: str
    seed: int
    directory: Path
    """The run's own; absolute."""
    words: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    """What is added to that of this process, by name."""
    working_directory: Path

    @property
    def predictions(self) -> Path:
        """The file that the script is told to write."""
        return self.directory / PREDICTIONS_FILE

    @property
    def what(self) -> str:
        """What its predictions are called in messages."""
        return str(Path(*self.predictions.parts[-3:]))


@dataclass(frozen=True)
class ScriptOutcome:
    """The end of a run."""

    cause: str | None
    """The cause of its failure."""
    seconds: float


def finished(run: ScriptRun) -> float | None:
    """How many seconds a run took that has finished before; none if it has to be run.

    Raises:
        DamagedFile: It has finished, and its predictions are no longer what they were.
    """
    done = run.directory / DONE_FILE
    try:
        content = read_object(done.read_bytes(), done)
        kept, seconds = content["predictions"], float(content["seconds"])
    except FileNotFoundError:
        return None
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedFile(f"{done} is damaged.") from error
    try:
        now = digest(run.predictions.read_bytes())
    except FileNotFoundError:
        raise DamagedFile(f"{run.predictions} is missing.") from None
    if now != kept:
        raise DamagedFile(f"{run.predictions} is damaged, or was changed.")
    return seconds


def execute(
    run: ScriptRun,
    is_stopped: Callable[[], bool],
    accept: Callable[[RunPredictions], None] = lambda found: None,
) -> ScriptOutcome:
    """Run the script to its end.

    What it prints goes to ``log.txt`` in the run's directory. It has finished where it ends with
    exit code 0 and has left predictions that can be read.

    Args:
        run: What to run.
        is_stopped: Asked all along; once it is true, the script and what it has started are ended.
        accept: Is given the predictions; what it raises comes through, and the run has not
            finished.

    Raises:
        KeyboardInterrupt: It was stopped.
        OSError: Its directory cannot be written to.
    """
    run.directory.mkdir(parents=True, exist_ok=True)
    for former in (run.directory / DONE_FILE, run.predictions):
        former.unlink(missing_ok=True)
    start = time.monotonic()
    code = _call(run, is_stopped)
    seconds = time.monotonic() - start
    if is_stopped():
        raise KeyboardInterrupt
    if code:
        return ScriptOutcome(f"{_how_it_ended(code)}{_last_lines(run)}", seconds)
    if not run.predictions.exists():
        return ScriptOutcome(
            f"it ended well, but wrote no predictions to {{out}}, {run.predictions}"
            f"{_last_lines(run)}",
            seconds,
        )
    try:
        found, _ = read_archive(run.predictions, run.what)
    except ValueError as error:
        return ScriptOutcome(str(error), seconds)
    accept(found)
    content = {
        "method": run.method,
        "seed": run.seed,
        "command": list(run.words),
        "predictions": digest(run.predictions.read_bytes()),
        "seconds": round(seconds, 3),
    }
    text = json.dumps(with_digest(content), indent=1, ensure_ascii=False) + "\n"
    write_text(run.directory / DONE_FILE, text)
    return ScriptOutcome(None, seconds)


def _call(run: ScriptRun, is_stopped: Callable[[], bool]) -> int:
    """The exit code of the script, which ends with this process however that ends."""
    with (run.directory / LOG_FILE).open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-I", str(_SUPERVISOR), *run.words],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=run.working_directory,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **dict(run.environment)},
            start_new_session=True,
        )
        assert process.stdin is not None
        try:
            while not is_stopped():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    return process.wait(_SECONDS_BETWEEN_LOOKS)
        finally:
            # Where the script still runs, this tells its supervisor to end it.
            with contextlib.suppress(OSError):
                process.stdin.close()
            process.wait()
        return process.returncode


def _how_it_ended(code: int) -> str:
    number = code - 128 if code > 128 else -code  # of the script, or of its supervisor
    try:
        name = signal.Signals(number).name if code > 128 or code < 0 else ""
    except ValueError:
        return f"exit code {code}"
    if not name:
        return f"exit code {code}"
    return f"ended by {name}" + (" (out of memory, perhaps)" if name == "SIGKILL" else "")


def _last_lines(run: ScriptRun) -> str:
    """The end of what it has printed, in one line."""
    with (run.directory / LOG_FILE).open("rb") as log:
        log.seek(0, os.SEEK_END)
        log.seek(max(0, log.tell() - _END_OF_LOG))
        text = log.read().decode(errors="replace")
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    if not lines:
        return ""
    return f": {' | '.join(lines[-_LAST_LINES:])}"[:500]
