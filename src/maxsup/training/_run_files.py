"""The files of a run."""

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from torch import nn

from maxsup._digests import DamagedFile, check_files
from maxsup._files import remove_temporary, write_text
from maxsup._lock import LOCK_FILE, HeldDirectory, check_free, hold
from maxsup._places import as_place, strangers
from maxsup.evaluation import Outputs, SplitName, outputs_file, save_outputs
from maxsup.models import (
    TIMM,
    WEIGHTS_FILE,
    kept_epochs,
    remove_epochs,
    save_epoch,
)
from maxsup.training._checkpoint import State, load_checkpoint, load_position, save_checkpoint
from maxsup.training._data import AnyData
from maxsup.training._position import Position
from maxsup.training._result import RESULT_FILE, RunResult
from maxsup.training._settings import RunSettings
from maxsup.training._settings_file import SETTINGS_FILE
from maxsup.training._tasks import task_of

METRICS_FILE = "metrics.jsonl"
CHECKPOINT_FILE = "checkpoint.pt"
FORMER_CHECKPOINT_FILE = "checkpoint-before.pt"
DAMAGED_CHECKPOINT_FILE = "checkpoint-damaged.pt"
FAILURE_FILE = "failure.txt"

_CHECKPOINTS = (CHECKPOINT_FILE, FORMER_CHECKPOINT_FILE)
_KEPT_FILES = (RESULT_FILE, *_CHECKPOINTS, WEIGHTS_FILE)
"""A run that has none of them has nothing to lose."""


class RunFiles:
    """The directory of a run, and what is written to it and read from it when.

    While a run is trained: its settings, a line of figures for each epoch, a checkpoint with the
    one before it, and the weights of the epochs that are to be kept. When it is done, in place of
    the checkpoints: the weights with what a stranger needs to use them, the outputs, the digests of
    all of these, and last of all the result. What is read back is checked by its digest, and a run
    whose files are damaged is repeated.

    Args:
        settings: The run's settings.
        directory: Its directory, a path or a URL; by default the one that its settings name.
        writes: Whether this process writes; of several the first one does.
        say: Shows a sentence to a person.

    Raises:
        ValueError: The directory holds a run with other settings, or files that are no run, or
            another process writes to it.
    """

    def __init__(
        self,
        settings: RunSettings,
        directory: Path | str | None,
        *,
        writes: bool,
        say: Callable[[str], None],
    ) -> None:
        self.directory = as_place(settings.default_directory() if directory is None else directory)
        self._settings = settings
        self._fingerprint = settings.fingerprint()
        self._writes = writes
        self._say_to_person = say
        self._said: set[str] = set()
        self._held: HeldDirectory | None = None
        self._is_checkpoint_damaged = False
        self._are_settings_damaged = False
        if writes:
            check_free(self.directory, say)
        self._check_owner()

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Make the directory, and let no other process write there for a while.

        Raises:
            ValueError: One does already.
            OSError: It cannot be written to.
        """
        if not self._writes:
            yield
            return
        with hold(self.directory, self._say) as self._held:
            remove_temporary(self.directory)
            yield

    def check_held(self) -> None:
        """See that the directory is still there and this process's; it costs next to nothing.

        Raises:
            OSError: It is not.
        """
        if self._held is not None:
            self._held.check()

    def finished(self, data: AnyData) -> RunResult | None:
        """The result, if the run is done and its files are as they were written.

        Raises:
            ValueError: It is of other data or settings.
        """
        try:
            result = RunResult.load(self.directory)
            if result is not None and isinstance(self.directory, Path):
                # From an object store, all weights would have to be fetched for it.
                check_run(self.directory)
        except DamagedFile as error:
            self._say(f"{error} The run is repeated.")
            return None
        if result is not None:
            self._check_same(result.settings, result.data, data)
            if self._writes:
                # The process that trained it may have been killed after its last word.
                self._remove_checkpoints()
            if self._writes and self._are_settings_damaged:
                self._settings.save(self.directory / SETTINGS_FILE)
            self._say_which_are_lost(self._settings.recipe.epochs)
        return result

    def begin(self, state: State, data: AnyData) -> Position:
        """Where to begin: at the start, or where the checkpoint is, which is put into ``state``.

        Raises:
            ValueError: The checkpoint is of other data or settings, or of another version.
            OSError: The settings could not be written.
        """
        if self._writes:
            self._settings.save(self.directory / SETTINGS_FILE)
        damage = []
        for name in _CHECKPOINTS:
            try:
                position = load_checkpoint(self.directory / name, state)
            except FileNotFoundError:
                continue
            except DamagedFile as error:
                self._is_checkpoint_damaged |= name == CHECKPOINT_FILE
                damage.append(str(error))
                continue
            self._check_same(position.settings, position.data, data)
            if damage:
                self._say(f"{damage[0]} The run goes on from the checkpoint before it.")
            self._say_which_are_lost(position.epoch)
            return position
        if damage:
            self._say(f"{' '.join(damage)} The run starts anew.")
        if self._writes:
            remove_epochs(self.directory)
        return Position(data.fingerprint, settings=self._fingerprint)

    def save(self, state: State, position: Position) -> None:
        """Write a checkpoint, and the figures of the epochs that are done.

        Raises:
            OSError: They could not be written; the former ones are intact.
        """
        if self._held is None:
            return
        self._held.check_now()
        rows = "".join(json.dumps(row) + "\n" for row in position.history)
        write_text(self.directory / METRICS_FILE, rows)
        path = self.directory / CHECKPOINT_FILE
        if self._is_checkpoint_damaged and isinstance(path, Path):
            # Not in place of the checkpoint before it, which is good.
            path.replace(self.directory / DAMAGED_CHECKPOINT_FILE)
            self._is_checkpoint_damaged = False
        save_checkpoint(path, state, position, former=self.directory / FORMER_CHECKPOINT_FILE)

    def keep_epoch(self, model: nn.Module, epoch: int) -> None:
        """Keep the weights of an epoch, where the settings ask for it; see :meth:`begin`.

        To be called before the checkpoint of that epoch is saved, so that none is lost by a stop.

        Raises:
            OSError: They could not be written.
        """
        if self._held is not None and self._keeps_epoch(epoch):
            self._held.check_now()
            save_epoch(self.directory, epoch, model)

    def finish(
        self,
        model: nn.Module,
        description: Any,
        outputs: Mapping[SplitName, Outputs],
        result: RunResult,
    ) -> None:
        """Write what stays of a run; the result comes last, as it says that the run is done.

        Raises:
            OSError: It could not be written; the checkpoint is intact.
        """
        if self._held is None:
            return
        self._held.check_now()
        digests = task_of(self._settings.recipe).save(self.directory, model, description)
        for split, kept in outputs.items():
            name = outputs_file(split)
            digests[name] = save_outputs(self.directory / name, kept)
        result.save(self.directory, digests)
        self._remove_checkpoints()

    def _keeps_epoch(self, epoch: int) -> bool:
        # Of a trial that something is chosen by, nobody looks inside.
        return self._settings.measured_on == "test" and self._settings.recipe.keeps_epoch(epoch)

    def _say_which_are_lost(self, done: int) -> None:
        """Say which epochs' weights were not kept when they could be, of those that are done."""
        wanted = [epoch for epoch in range(1, done + 1) if self._keeps_epoch(epoch)]
        kept = kept_epochs(self.directory) if wanted else {}
        lost = [str(epoch) for epoch in wanted if epoch not in kept]
        if lost:
            self._say(
                f"{self.directory} has not kept the weights after epoch {listed(lost)}, which "
                "--keep-every now asks for: they were trained without it. Name another directory "
                "with --out to have them."
            )

    def _remove_checkpoints(self) -> None:
        for name in _CHECKPOINTS:
            (self.directory / name).unlink(missing_ok=True)

    def _say(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            self._say_to_person(text)

    def _check_owner(self) -> None:
        """See that the directory is empty, or holds this run."""
        path = self.directory / SETTINGS_FILE
        if not path.exists():
            names = strangers(self.directory, known=(LOCK_FILE, FAILURE_FILE))
            if names and not self._is_known(f"{path} is missing."):
                raise ValueError(
                    f"{self.directory} holds files that are no run ({listed(names)}). Name a new "
                    "or empty directory with --out."
                )
            return
        try:
            kept = RunSettings.load_kept(path)
        except DamagedFile as error:
            is_new = not has_kept(self.directory) and _is_settings_file(path)
            if is_new or self._is_known(str(error)):
                return
            raise ValueError(
                f"{error} If {self.directory} holds a run of maxsup, remove the file and what is "
                "beside it to train from the start; or name another directory with --out."
            ) from error
        if kept != self._settings and has_kept(self.directory):
            raise ValueError(
                f"{self.directory} holds a run with other settings "
                f"({'; '.join(self._settings.differences(kept))}). Name another directory with "
                "--out, or use the same settings."
            )

    def _is_known(self, damage: str) -> bool:
        """Whether other files say that the run is this one, as its settings cannot be read."""
        found: RunResult | Position | None
        for name in (RESULT_FILE, *_CHECKPOINTS):
            with contextlib.suppress(ValueError, FileNotFoundError):
                if name == RESULT_FILE:
                    found = RunResult.load(self.directory)
                else:
                    found = load_position(self.directory / name)
                if found is not None and found.settings == self._fingerprint:
                    self._are_settings_damaged = True
                    self._say(
                        f"{damage} It is written anew: the run's other files fit the command."
                    )
                    return True
        return False

    def _check_same(self, settings: str, fingerprint: str, data: AnyData) -> None:
        if settings and settings != self._fingerprint:
            weights, taught = self._settings.recipe.weights, self._settings.distillation
            why = [] if weights in (None, TIMM) else [f"started from other weights than {weights}"]
            why += [] if taught is None else [f"learnt from another teacher than {taught.teacher}"]
            what = (
                f"a run has left that {' or '.join(why)} now holds, or with other settings"
                if why
                else "a run with other settings has left"
            )
            raise ValueError(
                f"{self.directory} holds what {what}. Name another directory with --out."
            )
        if fingerprint != data.fingerprint:
            raise ValueError(
                f"{self.directory} holds a run on other data: since then, images, labels or "
                f"classes of {data.name} have changed. Name another directory with --out."
            )


def check_run(directory: Path) -> None:
    """See that the files of a finished run are what was written; large ones may be removed.

    Raises:
        DamagedFile: They are not.
    """
    large = (WEIGHTS_FILE, *(outputs_file(split) for split in get_args(SplitName)))
    check_files(directory, removable=large)


def has_kept(directory: Path) -> bool:
    """Whether a run's directory holds anything that was trained."""
    return any((directory / name).exists() for name in _KEPT_FILES)


def _is_settings_file(path: Path) -> bool:
    try:
        RunSettings.load(path)
    except ValueError:
        return False
    return True


def listed(names: list[str]) -> str:
    """A few names, for a message.

    >>> listed(["a", "b", "c", "d"])
    'a, b, c and 1 more'
    """
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
