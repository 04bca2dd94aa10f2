"""What is lost when a study's process is killed, its disk fills up, or its files are damaged.

A small study on the digits is disturbed, each time in another way, and then its call is repeated.
Nothing is lost if the repeated call ends with the results of a study that was left alone, bit for
bit (timings apart), or names the file that is damaged and what to do. Each trial is drawn from its
number, so that ``--only KIND --first NUMBER --trials 1`` repeats one.

    python benchmarks/faults.py [--trials 300] [--jobs 2] [--only kill]

Kinds of trials:

- kill: SIGKILL at a random moment, once or twice
- full: writing fails after a random number of bytes (ENOSPC), or beyond a size of file (EFBIG)
- damage: a bit flipped, a file cut off, emptied, overwritten or removed, of every kind of file
- two: two or three processes in one directory, with and without what a killed one left
- removed: the directory is removed while the study runs

It needs a system with fork. An exit code of 1 says that something was lost.
"""

import argparse
import contextlib
import errno
import gc
import multiprocessing
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

CONTEXT = multiprocessing.get_context("forkserver")
SECONDS = 600
"""For how long a process may run."""
SECONDS_TO_NOTICE = 30
"""For how long a study may go on after its directory was removed, on a busy machine."""


# ----------------------------------------------------------------------------- the study, a process


def settings() -> Any:
    """A study of two short runs."""
    from maxsup.data import DataSettings
    from maxsup.recipes import get_recipe
    from maxsup.study import StudySettings

    recipe = replace(get_recipe("digits"), epochs=2, batch_size=512, checkpoint_steps=1)
    data = DataSettings("digits", label_noise=0.4)
    return StudySettings(data, recipe, methods=("baseline", "maxsup"), seeds=(0,))


def study(directory: str, log: str, disturb: Callable[..., None] | None, *how: Any) -> None:
    """Run the study as the command does; what it says goes to a file."""
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(file, 1)
    os.dup2(file, 2)

    import torch

    from maxsup.study import compare

    torch.set_num_threads(1)
    # All that was imported beforehand stays; a collection after each run need not look at it.
    gc.freeze()
    if disturb is not None:
        disturb(*how)
    code = 0
    try:
        compare(settings(), directory, command="faults", console=Console(stderr=True, width=200))
    except (ValueError, OSError) as error:
        print(f"refused: {error}", file=sys.stderr)
        code = 2
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stderr.flush()
    os._exit(code)


class Process:
    """A study under way."""

    def __init__(
        self, directory: Path, disturb: Callable[..., None] | None = None, *how: Any
    ) -> None:
        self.log = directory.parent / f"{random.getrandbits(48):012x}.log"
        self._process = CONTEXT.Process(
            target=study, args=(str(directory), str(self.log), disturb, *how)
        )
        self._process.start()

    def wait(self, seconds: float = SECONDS) -> int | None:
        """Its exit code; none if it still runs."""
        self._process.join(seconds)
        return self._process.exitcode

    def kill(self) -> None:
        self._process.kill()
        self._process.join()

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""


class Lost(Exception):
    """A trial that ended as none may."""


@dataclass(frozen=True)
class Reference:
    """A study that was left alone."""

    finished: Path
    stopped: Path
    """One that was killed in its second run, with two checkpoints."""
    results: str
    seconds: float
    """How long it takes."""
    bytes: int
    """How much it writes."""


def results_of(directory: Path) -> str:
    """What ``results.json`` has but for timings."""
    text = (directory / "results.json").read_text()
    return text[: text.index('"timings"')]


def repeat(directory: Path, reference: Reference) -> str:
    """Repeat the call; what came of it."""
    process = Process(directory)
    code = process.wait()
    if code is None:
        process.kill()
        raise Lost(f"the repeated call did not end:\n{process.output}")
    if code != 0:
        raise Lost(f"the repeated call ended with code {code}:\n{process.output}")
    if results_of(directory) != reference.results:
        raise Lost(f"the repeated call has other results:\n{process.output}")
    if left := [path.name for path in directory.rglob("*") if path.suffix in (".tmp", ".lock")]:
        raise Lost(f"the repeated call left {left}")
    return process.output


# ------------------------------------------------------------------------------------------- trials


def kill(draw: random.Random, directory: Path, reference: Reference) -> str:
    kills = draw.choice((1, 1, 2))
    for _ in range(kills):
        process = Process(directory)
        if process.wait(draw.uniform(0, reference.seconds)) == 0:
            repeat(directory, reference)
            return "was over before"
        process.kill()
    repeat(directory, reference)
    return "went on"


def fill_disk(limit: int) -> None:
    """Let writing fail once so many bytes were written."""
    left = [limit]
    whole = Path.open

    class Filling:
        def __init__(self, file: Any) -> None:
            self._file = file

        def write(self, content: Any) -> int:
            size = memoryview(content).nbytes
            if size > left[0]:
                self._file.write(memoryview(content)[: left[0]])
                left[0] = 0
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            left[0] -= size
            return int(self._file.write(content))

        def __getattr__(self, name: str) -> Any:
            return getattr(self._file, name)

        def __enter__(self) -> "Filling":
            return self

        def __exit__(self, *error: object) -> None:
            self._file.close()

    def opened(path: Path, mode: str = "r", *args: Any, **options: Any) -> Any:
        file = whole(path, mode, *args, **options)
        return Filling(file) if "b" in mode and set(mode) & set("wxa") else file

    Path.open = opened  # type: ignore[method-assign, assignment]


def limit_files(limit: int) -> None:
    """Let no file be larger."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def full(draw: random.Random, directory: Path, reference: Reference) -> str:
    if draw.random() < 0.7:
        process = Process(directory, fill_disk, draw.randrange(reference.bytes))
    else:
        process = Process(directory, limit_files, int(10 ** draw.uniform(2, 6)))
    code = process.wait()
    if code not in (0, 2):
        raise Lost(f"a full disk ended the study with code {code}:\n{process.output}")
    if code == 2 and "refused: [Errno" not in process.output:
        raise Lost(f"a full disk was not named:\n{process.output}")
    repeat(directory, reference)
    return "said so, and went on" if code == 2 else "had room enough"


def flip(draw: random.Random, content: bytes) -> bytes:
    place, bit = draw.randrange(len(content)), draw.randrange(8)
    return content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :]


DAMAGES: dict[str, Callable[[random.Random, bytes], bytes | None]] = {
    "flipped": flip,
    "cut off": lambda draw, content: content[: draw.randrange(len(content))],
    "empty": lambda draw, content: b"",
    "foreign": lambda draw, content: b'{"editor.fontSize": 13}\n',
    "missing": lambda draw, content: None,
}
"""What a file's content becomes; none where it is removed."""


def damage(draw: random.Random, directory: Path, reference: Reference) -> str:
    source = draw.choice((reference.finished, reference.stopped))
    shutil.copytree(source, directory)
    # Each kind of file as often as another, however many there are.
    names = sorted({path.name for path in directory.rglob("*") if path.is_file()})
    name = draw.choice(names)
    path = draw.choice(sorted(directory.rglob(name)))
    before = path.read_bytes()
    how = draw.choice(sorted(DAMAGES))
    after = DAMAGES[how](draw, before)
    path.unlink()
    if after is not None:
        path.write_bytes(after)
    what = f"{path.relative_to(directory)}, {how}"
    if is_read_wrongly(path, before != after, source / path.relative_to(directory)):
        raise Lost(f"{what}: was read as if nothing had happened")
    try:
        repeat(directory, reference)
    except Lost as error:
        if path.name == "model.safetensors" and after is None and without_weights(directory):
            return "said what is missing"
        if "ended with code 2" in str(error) and f"{path.name}" in str(error):
            # What it says to do helps: the file is removed, or all of the directory.
            shutil.rmtree(directory)
            repeat(directory, reference)
            return "named the file"
        raise Lost(f"{what}: {error}") from error
    return "had the same results"


def is_read_wrongly(path: Path, is_damaged: bool, whole: Path) -> bool:
    """Whether a damaged file can be read, and then says something else."""
    import torch

    from maxsup.evaluation import load_outputs
    from maxsup.models import load_run
    from maxsup.results import read_results

    def weights(path: Path) -> Any:
        run = load_run(path.parent)
        return run.description, [each.tolist() for each in run.model.state_dict().values()]

    def outputs(path: Path) -> Any:
        return [each.tolist() for each in load_outputs(path)[:4]]

    readers: dict[str, Callable[[Path], Any]] = {
        "results.json": read_results,
        "config.json": weights,
        "model.safetensors": weights,
        "outputs-test.safetensors": outputs,
    }
    read = readers.get(path.name)
    if read is None or not is_damaged:
        return False
    torch.set_num_threads(1)
    try:
        found = read(path)
    except (ValueError, OSError) as error:
        return path.name not in str(error)
    return bool(found != read(whole))


def without_weights(directory: Path) -> bool:
    """Whether the results say that weights are missing, which may be removed to save room."""
    return "the weights were removed" in (directory / "results.json").read_text()


def two(draw: random.Random, directory: Path, reference: Reference) -> str:
    if draw.random() < 0.5:
        process = Process(directory)
        process.wait(draw.uniform(0, reference.seconds))
        process.kill()
    processes = []
    for _ in range(draw.choice((2, 2, 3))):
        processes.append(Process(directory))
        time.sleep(draw.choice((0.0, draw.uniform(0, reference.seconds))))
    codes = [process.wait() for process in processes]
    outputs = [process.output for process in processes]
    if 0 not in codes or not set(codes) <= {0, 2}:
        raise Lost(f"{codes}:\n" + "\n".join(outputs))
    for code, output in zip(codes, outputs, strict=True):
        if code == 2 and "is in use: process" not in output:
            raise Lost(f"the second did not say why it left:\n{output}")
    if results_of(directory) != reference.results:
        raise Lost("together they have other results:\n" + "\n".join(outputs))
    repeat(directory, reference)
    return "one left" if 2 in codes else "one after the other"


def removed(draw: random.Random, directory: Path, reference: Reference) -> str:
    process = Process(directory)
    process.wait(draw.uniform(0, reference.seconds))
    was_there = directory.exists()
    with contextlib.suppress(OSError):
        directory.rename(directory.with_name("removed"))
    code = process.wait(SECONDS_TO_NOTICE + reference.seconds)
    if code is None:
        process.kill()
        raise Lost(f"went on without its directory:\n{process.output}")
    if code == 1:
        raise Lost(f"ended with a traceback:\n{process.output}")
    if (
        code == 2
        and "was removed" not in process.output
        and "nothing was written" not in (process.output)
    ):
        raise Lost(f"did not say what happened:\n{process.output}")
    if code == 2 and was_there and directory.exists():
        raise Lost(f"made it again: {sorted(map(str, directory.rglob('*')))}\n{process.output}")
    repeat(directory, reference)
    return "said so" if code == 2 else "was over, or had not begun"


TRIALS: dict[str, tuple[Callable[[random.Random, Path, Reference], str], float]] = {
    "kill": (kill, 0.25),
    "full": (full, 0.15),
    "damage": (damage, 0.4),
    "two": (two, 0.1),
    "removed": (removed, 0.1),
}
"""Each kind of trial, and its fraction of all."""


# -------------------------------------------------------------------------------------------- table


def prepare(place: Path) -> Reference:
    """A study that was left alone, and one that was killed in its second run."""
    finished, stopped = place / "finished", place / "stopped"
    start = time.monotonic()
    alone = Process(finished)
    # The first process waits until those that come later have their imports.
    while alone.wait(0.01) is None and not finished.exists():
        start = time.monotonic()
    if alone.wait() != 0:
        raise SystemExit(f"The study does not even run undisturbed:\n{alone.output}")
    # With what a process does before it makes the directory.
    seconds = 1.3 * (time.monotonic() - start)
    process = Process(stopped)
    while not list(stopped.glob("maxsup/*/checkpoint-before.pt")):
        if process.wait(0.002) is not None:
            raise SystemExit("The study was over before it could be killed; try again.")
    process.kill()
    size = sum(path.stat().st_size for path in finished.rglob("*") if path.is_file())
    checkpoint = max(path.stat().st_size for path in stopped.rglob("checkpoint*.pt"))
    steps = 2 * 2 * 3
    return Reference(finished, stopped, results_of(finished), seconds, size + steps * checkpoint)


def run(kind: str, number: int, place: Path, reference: Reference) -> tuple[str, str | None]:
    """The kind of a trial's end, and what was lost."""
    directory = place / f"{kind}-{number}"
    directory.mkdir()
    try:
        found = TRIALS[kind][0](random.Random(f"{kind} {number}"), directory / "study", reference)
    except Lost as error:
        return "LOST", f"{kind} {number}: {error}"
    except Exception:
        return "LOST", f"{kind} {number}: {traceback.format_exc()}"
    shutil.rmtree(directory)
    return found, None


def chosen(arguments: argparse.Namespace) -> Iterator[tuple[str, int]]:
    kinds = {arguments.only: 1.0} if arguments.only else {k: v for k, (_, v) in TRIALS.items()}
    for kind, fraction in kinds.items():
        count = max(1, round(fraction * arguments.trials))
        yield from ((kind, arguments.first + number) for number in range(count))


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=300)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", choices=list(TRIALS))
    parser.add_argument("--first", type=int, default=0)
    arguments = parser.parse_args(words)
    CONTEXT.set_forkserver_preload(["torch._dynamo", "sklearn.datasets", "maxsup.study"])
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        reference = prepare(place)
        start = time.monotonic()
        counts: Counter[tuple[str, str]] = Counter()
        trials = list(chosen(arguments))
        with ThreadPoolExecutor(arguments.jobs) as pool:
            ends = pool.map(lambda trial: run(*trial, place, reference), trials)
            for (kind, _), (found, lost) in zip(trials, ends, strict=True):
                counts[kind, found] += 1
                if lost is not None:
                    print(lost, file=sys.stderr, flush=True)
        seconds = time.monotonic() - start
    table = Table(title=f"{len(trials)} trials in {seconds / 60:.1f} min", title_justify="left")
    for head in ("trial", "end", "times"):
        table.add_column(head, justify="right" if head == "times" else "left")
    for (kind, found), times in sorted(counts.items()):
        table.add_row(kind, found, str(times))
    Console(width=80).print(table)
    lost = sum(times for (_, found), times in counts.items() if found == "LOST")
    print(f"Lost: {lost}")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
