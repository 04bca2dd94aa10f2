"""Which runs' predictions lie somewhere."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from maxsup._method_names import MethodName
from maxsup._places import strangers
from maxsup.data.predictions._archive import read_archive, read_method
from maxsup.data.predictions._history import columns_of, rows_of
from maxsup.data.predictions._names import (
    FILE_STEM,
    SUFFIXES,
    method_directory,
    method_of,
    seed_of,
)
from maxsup.data.predictions._run import RunPredictions
from maxsup.data.predictions._table import Table, read_figures

_TABLES = (".parquet", ".csv")
_HISTORIES = (".history.csv", ".history.jsonl")
_RESULTS = ("results.csv", "summary.csv")
"""Tables that are written of predictions, and hold none."""

LAYOUT = (
    "Expected are METHOD/seed-N.npz (or .safetensors, .parquet, .csv), with an array or column for "
    "each of logits (or probabilities), labels and, if there are any, ids; or one .parquet or .csv "
    "with the columns method, seed, id, label and logits, or logit_0, logit_1, …"
)
_PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".npy", ".joblib", ".ckpt")


@dataclass(frozen=True)
class RunSource:
    """A run whose predictions can be read."""

    method: str
    seed: int
    what: str
    """What it is called in a message: its file, and its rows in that."""
    load: Callable[[], RunPredictions]


class FoundPredictions(NamedTuple):
    """The runs that there are, and what else lies there."""

    runs: list[RunSource]
    """By method, then by seed; a method called ``baseline`` comes first."""
    passed_over: list[str]
    root: Path
    """What holds the directories of the methods, or the table."""


def holds_predictions(place: Path) -> bool:
    """Whether a file is one of predictions, or a directory has one where predictions lie."""
    if not place.is_dir():
        return place.suffix in _TABLES
    found = _Finder(place)
    try:
        found.look()
    except ValueError:
        return True  # there is something, though it cannot be read
    return bool(found.runs)


def find_predictions(place: Path) -> FoundPredictions:
    """The runs whose predictions lie in a directory, or in one table.

    Args:
        place: A directory, of one method or of several, or a ``.parquet`` or ``.csv``; on this
            machine or in a store.

    Raises:
        ValueError: There are none, two are of the same method and seed, or a table cannot be read.
        FileNotFoundError: There is no such place.
    """
    if not place.exists():
        raise FileNotFoundError(2, "no file or directory has this path", str(place))
    found = _Finder(place)
    if place.is_dir():
        found.look()
    elif place.suffix in _TABLES:
        found.add_table(place, place.name)
    if not found.runs:
        raise ValueError(_nothing(place, found.passed_over))
    return FoundPredictions(found.ordered(), found.passed_over, found.root)


def _nothing(place: Path, passed_over: list[str]) -> str:
    lies = f" There lie {_listed(passed_over)}." if passed_over else ""
    pickles = any(name.endswith(_PICKLES) for name in (*passed_over, place.name))
    told = " Pickled files are not read, as they could run any program." if pickles else ""
    return f"{place} holds no predictions. {LAYOUT}.{lies}{told}"


def _listed(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


class _Finder:
    """Collects the runs of a place."""

    def __init__(self, place: Path) -> None:
        self.place = self.root = place
        self.runs: dict[tuple[str, int], RunSource] = {}
        self.passed_over: list[str] = []

    def look(self) -> None:
        if self._is_of_one_method():
            # "." and ".." are no names.
            named = self.place if self.place.name not in ("", "..") else self.place.resolve()
            self.root = named.parent
            self._look_in_method(named)
            return
        for name in strangers(self.place):
            path = self.place / name
            if path.is_dir():
                self._look_in_method(path)
            elif name in _RESULTS or not name.endswith(_TABLES) or name.endswith(_HISTORIES):
                if not (name.endswith(_HISTORIES) and self._has_table(name)):
                    self.passed_over.append(name)
            else:
                self.add_table(path, name)

    def add_table(self, path: Path, what: str) -> None:
        """The runs of a table that has columns for method and seed."""
        table = Table(path, what)
        if not table.has_runs:
            raise ValueError(
                f"{what} must have a column method and a column seed, or lie as METHOD/seed-N"
                f"{path.suffix} in a directory that is named instead."
            )
        figures = _figures(path.with_suffix(""), what)
        for method, seed in table.runs():

            def load(method: str = method, seed: int = seed) -> RunPredictions:
                rows = [row for row in figures if _is_of(row, method, seed)]
                return _with_history(table.run(method, seed), rows, f"{what}, figures of {method}")

            self._add(_canonical(method, what), seed, f"{what}, {method}, seed {seed}", load)

    def ordered(self) -> list[RunSource]:
        methods = list(dict.fromkeys(method for method, _ in self.runs))
        methods.sort(key=lambda method: method != "baseline")
        return sorted(self.runs.values(), key=lambda run: (methods.index(run.method), run.seed))

    def _is_of_one_method(self) -> bool:
        """Whether runs lie here that are called by their seeds, and no method's directory."""
        paths = [self.place / name for name in strangers(self.place)]
        if any(path.is_dir() and any(map(_is_run, _within(path))) for path in paths):
            return False
        return any(
            _is_run(path) and not (path.suffix in _TABLES and Table(path, path.name).has_runs)
            for path in paths
        )

    def _has_table(self, history: str) -> bool:
        stem = history.partition(".history.")[0]
        return any((self.place / f"{stem}{suffix}").exists() for suffix in _TABLES)

    def _look_in_method(self, directory: Path) -> None:
        names = strangers(directory)
        kept: str | None = None
        is_first = True
        for name in names:
            path = directory / name
            what = f"{directory.name}/{name}"
            seed = seed_of(name) if path.is_dir() else seed_of(path.stem)
            if seed is not None and path.is_dir():
                files = _files_of_run(path)
                if len(files) > 1:
                    raise ValueError(f"{what} holds predictions twice; take one of them away.")
                if files:
                    (path,) = files
                    what = f"{what}/{path.name}"
            if seed is None or path.is_dir() or path.suffix not in SUFFIXES:
                if not (name.endswith(_HISTORIES) and _is_beside(name, names)):
                    self.passed_over.append(what)
                continue
            if is_first and path.suffix not in _TABLES:
                kept = read_method(path, what)
            is_first = False
            method = _named(method_of, directory.name, kept, what=what)
            self._add(method, seed, what, _loader(path, what))

    def _add(self, method: str, seed: int, what: str, load: Callable[[], RunPredictions]) -> None:
        before = self.runs.get((method, seed))
        if before is not None:
            raise ValueError(
                f"{before.what} and {what} are both of {method}, seed {seed}; take one of them "
                "away."
            )
        self.runs[method, seed] = RunSource(method, seed, what, load)


def _within(directory: Path) -> list[Path]:
    return [directory / name for name in strangers(directory)]


def _files_of_run(directory: Path) -> list[Path]:
    """The predictions of a run that has a directory of its own; there should be one file."""
    files = [directory / f"{FILE_STEM}{suffix}" for suffix in SUFFIXES]
    return [file for file in files if file.exists()]


def _is_run(path: Path) -> bool:
    """Whether something in a method's directory holds the predictions of a run."""
    if seed_of(path.stem) is None:
        return False
    return bool(_files_of_run(path)) if path.is_dir() else path.suffix in SUFFIXES


def _is_beside(history: str, names: list[str]) -> bool:
    stem = history.partition(".history.")[0]
    return any(f"{stem}{suffix}" in names for suffix in SUFFIXES)


def _canonical(method: str, what: str) -> str:
    _named(method_directory, method, what=what)
    return str(MethodName.read(method))


def _named(function: Callable[..., str], *arguments: Any, what: str) -> str:
    try:
        return function(*arguments)
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from None


def _loader(path: Path, what: str) -> Callable[[], RunPredictions]:
    def load() -> RunPredictions:
        if path.suffix in _TABLES:
            found = Table(path, what).only_run()
        else:
            found, _ = read_archive(path, what)
        return _with_history(found, _figures(path.with_suffix(""), what), f"figures of {what}")

    return load


def _figures(stem: Path, what: str) -> list[dict[str, Any]]:
    """The rows of the file of figures that lies beside."""
    files = [stem.with_name(stem.name + suffix) for suffix in _HISTORIES]
    files = [file for file in files if file.exists()]
    if len(files) > 1:
        raise ValueError(f"{what}: its figures are there twice, as {files[0].name} and otherwise.")
    return read_figures(files[0], files[0].name) if files else []


def _is_of(row: dict[str, Any], method: str, seed: int) -> bool:
    return str(row.get("method")) == method and row.get("seed") == seed


def _with_history(
    found: RunPredictions, figures: list[dict[str, Any]], what: str
) -> RunPredictions:
    if not figures:
        return found
    rows = [{k: v for k, v in row.items() if k not in ("method", "seed")} for row in figures]
    return replace(found, history=tuple(rows_of(columns_of(what, rows))))
