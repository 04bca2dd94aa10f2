"""What a study of somebody's own script consists of, and the file that keeps it."""

import contextlib
import json
from dataclasses import dataclass, replace
from pathlib import Path

from maxsup._digests import DamagedFile, read_object, with_digest
from maxsup._fields import settle_fields
from maxsup._files import remove_temporary, write_text
from maxsup._lock import LOCK_FILE
from maxsup._method_names import canonical
from maxsup._places import strangers
from maxsup.data.predictions._names import method_directory, seed_of
from maxsup.study._named import check_named
from maxsup.study._predictions import Question, analysis_of
from maxsup.study._script import Script
from maxsup.study._script_run import DONE_FILE, ScriptRun
from maxsup.study._settings import STUDY_FILE

_FORMAT = 1


@dataclass(frozen=True)
class ScriptStudy:
    """Methods × seeds, each trained by a script of one's own.

    Example:
        >>> command = "python train.py --loss {method} --seed {seed} --out {out}"
        >>> study = ScriptStudy(command, methods=("baseline", "my loss"), seeds=(0, 1))
        >>> study.plan()
        [('baseline', 0), ('my loss', 0), ('baseline', 1), ('my loss', 1)]

    Raises:
        ValueError: The command lacks a place or names another, a method cannot be a directory, or
            something is named twice or not at all.
    """

    script: str
    """The command that trains one model, with ``{method}``, ``{seed}`` and ``{out}``, the path of
    the ``.npz`` file that it is to write; or with none of them, where it reads ``MAXSUP_METHOD``,
    ``MAXSUP_SEED`` and ``MAXSUP_OUT`` from its environment."""
    methods: tuple[str, ...]
    """What ``{method}`` stands for: any names, which are passed on as they are written."""
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    """What ``{seed}`` stands for."""
    baseline: str | None = None
    """The method that the others are measured against; by default ``baseline``, else the first."""
    primary: str | None = None
    """The measure of the test set that the verdict speaks of; accuracy by default."""
    margin: float | None = None
    """The largest difference that does not matter, as in :class:`StudySettings`."""
    contrasts: tuple[str, ...] = ()
    """Pairs of methods to conclude on, ``maxsup/focal``, or ``all``."""

    def __post_init__(self) -> None:
        settle_fields(self)
        Script(self.script)
        check_named(self.methods, self.seeds)
        directories: dict[str, str] = {}
        for method in self.methods:
            # Where letters' case does not count, two names may be one directory.
            before = directories.setdefault(method_directory(method).casefold(), method)
            if before is not method:
                raise ValueError(
                    f"Each method can be named once; {before!r} and {method!r} would have one "
                    "directory."
                )
        analysis_of(self.question(), [canonical(method) for method in self.methods])

    def question(self) -> Question:
        """What is asked of the runs' numbers."""
        return Question(self.baseline, self.primary, self.margin, self.contrasts)

    def plan(self) -> list[tuple[str, int]]:
        """Method, as it was written, and seed of every run, in the order to run them."""
        return [(method, seed) for seed in self.seeds for method in self.methods]

    def run(self, directory: Path, method: str, seed: int) -> ScriptRun:
        """One of the study's runs, within its directory."""
        place = directory.absolute() / method_directory(method) / f"seed-{seed}"
        script = Script(self.script)
        run = ScriptRun(canonical(method), seed, place, (), (), Path.cwd())
        return replace(
            run,
            words=tuple(script.command(method, seed, run.predictions)),
            environment=tuple(script.environment(method, seed, run.predictions).items()),
        )

    def default_directory(self) -> Path:
        """Where the study is kept unless a directory is named."""
        return Path("runs") / Script(self.script).name

    def check(self, directory: Path) -> None:
        """See that ``directory`` is this study's, or can become it.

        Methods and seeds may be added later, or left out. A study none of whose runs has finished
        has nothing to lose, and another one may take its place.

        Raises:
            ValueError: The directory is no local one, holds another study, or files that are none.
        """
        if not isinstance(directory, Path):
            raise ValueError(
                f"A script writes to this machine's disks, and cannot to {directory}; name a "
                "directory with --out."
            )
        file = directory / STUDY_FILE
        if not file.exists():
            names = strangers(directory, known=(LOCK_FILE,))
            if names:
                raise ValueError(
                    f"{directory} holds files that are no study ({', '.join(names[:5])}). Name a "
                    "new or empty directory with --out."
                )
            return
        try:
            kept = read_object(file.read_bytes(), file)
        except DamagedFile as error:
            raise ValueError(f"{error} Name another directory with --out.") from error
        if kept.get("script_format") != _FORMAT:
            raise ValueError(
                f"{directory} holds a study that is no script's. Name another directory with --out."
            )
        if kept.get("script") != self.script and finished_runs(directory):
            raise ValueError(
                f"{directory} holds a study of another command, {kept.get('script')!r}. Name "
                "another directory with --out, or use the same command."
            )

    def claim(self, directory: Path) -> None:
        """Make ``directory``, which this process holds, this study's."""
        remove_temporary(directory)
        content = with_digest(
            {
                "script_format": _FORMAT,
                "script": self.script,
                "methods": list(self.methods),
                "seeds": list(self.seeds),
            }
        )
        write_text(directory / STUDY_FILE, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def finished_runs(directory: Path) -> list[tuple[str, int]]:
    """Method and seed of the runs in a study's directory that say that they have finished."""
    found = []
    for file in sorted(directory.glob(f"*/seed-*/{DONE_FILE}")):
        with contextlib.suppress(ValueError, KeyError, TypeError):
            method = str(read_object(file.read_bytes(), file)["method"])
            seed = seed_of(file.parent.name)
            if seed is not None and method_directory(method) == file.parent.parent.name:
                found.append((method, seed))
    return found
