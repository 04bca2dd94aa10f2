"""What a person sees while models train: a bar in a terminal, plain lines in a log."""

import contextlib
import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from maxsup._console import console as new_console

SECONDS_BETWEEN_LOOKS = 0.5
"""How often a bar asks for the loss; asking makes a GPU finish what it has queued."""
SECONDS_BETWEEN_LINES = 15.0
"""How often a long epoch writes a line where there is no terminal."""
_FIGURES = (
    "train_loss",
    "train_accuracy",
    "validation_accuracy",
    "validation_mean_iou",
    "test_accuracy",
    "test_mean_iou",
    "images_per_second",
)
"""The figures of an epoch that a line of a log shows, where there are such."""


class ProgressReport:
    """Follows one or several trainings, with the time left for all of them.

    A context manager. In a terminal it shows a bar; elsewhere it writes a line per epoch, and in
    between when an epoch takes long, so that a log file stays readable.

    Args:
        console: Where to write.
        epochs: How many epochs all the trainings have together.
        quiet: Show nothing, as on all processes of a training but the first.
    """

    def __init__(self, console: Console, epochs: int, *, quiet: bool = False) -> None:
        self.console = console
        self._quiet = quiet
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=console,
            disable=quiet or not console.is_terminal,
            transient=True,
        )
        self._all: TaskID = self._bar.add_task("epochs", total=epochs, figures="")
        self._epoch: TaskID | None = None
        self._run = ""
        self._epochs = self._before = 0
        self._last_look = self._last_line = self._start = time.monotonic()
        self._steps_before = self._images = 0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def say(self, text: str) -> None:
        """Write a line above the bar."""
        if not self._quiet:
            self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def start_part(self, epochs: int) -> None:
        """What comes now has so many epochs, which count from here on."""
        self._before = int(self._bar.tasks[0].completed)
        self._bar.update(self._all, total=self._before + epochs)

    def skip(self, epochs: int) -> None:
        """Count epochs that were done before."""
        self._bar.advance(self._all, epochs)

    def advance_to(self, epochs: int) -> None:
        """Count as done so many epochs of this part, after a training that failed."""
        self._bar.update(self._all, completed=self._before + epochs)

    def start_run(self, name: str, *, epochs: int, done: int, steps: int = 0) -> None:
        """A training begins, or goes on after ``done`` epochs and ``steps`` of the next."""
        self._run, self._epochs = name, epochs
        if steps:
            self.say(f"{name}: goes on after step {steps:,} of epoch {done + 1} of {epochs}")
        elif done:
            self.say(f"{name}: goes on after epoch {done} of {epochs}")
        self.skip(done)

    def start_epoch(self, steps: int, *, done: int = 0) -> None:
        """An epoch of so many batches begins, or goes on after ``done`` of them."""
        self._start = self._last_look = self._last_line = time.monotonic()
        self._images = 0
        self._steps_before = done
        if self._epoch is not None:
            self._bar.remove_task(self._epoch)
        self._epoch = self._bar.add_task(self._run, total=steps, completed=done, figures="")

    def wants_figures(self) -> bool:
        """Whether it is time to read the loss off the device again."""
        now = time.monotonic()
        if now - self._last_look < SECONDS_BETWEEN_LOOKS:
            return False
        self._last_look = now
        return True

    def step(self, images: int) -> None:
        """A batch of so many images is done."""
        self._images += images
        if self._epoch is not None:
            self._bar.advance(self._epoch)

    def figures(self, epoch: int, step: int, steps: int, loss: float, accuracy: float) -> None:
        """Show the running means of the epoch."""
        speed = self._images / max(time.monotonic() - self._start, 1e-9)
        shown = f"loss {loss:.3f} · accuracy {100 * accuracy:.1f} % · {speed:,.0f} images/s"
        if self._epoch is not None:
            self._bar.update(self._epoch, figures=f"epoch {epoch}/{self._epochs} · {shown}")
        if self._bar.disable and time.monotonic() - self._last_line > SECONDS_BETWEEN_LINES:
            self._last_line = time.monotonic()
            taken = (time.monotonic() - self._start) / max(step - self._steps_before, 1)
            left = (steps - step) * taken
            self.say(
                f"{self._run}: epoch {epoch}/{self._epochs}, step {step}/{steps}: {shown} · "
                f"{duration(left)} left in the epoch"
            )

    def end_epoch(self, epoch: int, row: Mapping[str, float | None]) -> None:
        """An epoch is done; ``row`` holds its figures."""
        self._bar.advance(self._all)
        if self._epoch is not None:
            self._bar.remove_task(self._epoch)
            self._epoch = None
        if self._bar.disable:
            left = self._bar.tasks[0].time_remaining
            shown = ", ".join(
                f"{name.replace('_', ' ')} {_figure(name, row[name])}"
                for name in _FIGURES
                if row.get(name) is not None
            )
            more = f", {duration(left)} left" if left is not None else ""
            self.say(f"{self._run}: epoch {epoch}/{self._epochs}: {shown}{more}")


@contextlib.contextmanager
def reporting(
    progress: ProgressReport | None, epochs: int, *, quiet: bool
) -> Iterator[ProgressReport]:
    """A report that is under way already, or a new one on standard error for so many epochs."""
    if progress is not None:
        yield progress
        return
    with ProgressReport(new_console(stderr=True), epochs, quiet=quiet) as own:
        yield own


def duration(seconds: float) -> str:
    """A duration in words.

    >>> duration(42), duration(125), duration(7300)
    ('42 s', '2 min 05 s', '2 h 01 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def _figure(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    if name.endswith(("accuracy", "mean_iou")):
        return f"{100 * value:.2f} %"
    return f"{value:,.0f}" if name == "images_per_second" else f"{value:.4f}"
