"""Predictions as a table, in Parquet or CSV: a row for each sample, of one run or of many."""

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from maxsup.data.predictions._arrays import Array
from maxsup.data.predictions._part import Part, check_part
from maxsup.data.predictions._run import RunPredictions

_FIRST = {"logits": "logits", "probabilities": "probabilities", "probs": "probabilities"}
"""What the column of lists may be called, and what it holds."""
_EACH = {"logit": "logits", "probability": "probabilities", "prob": "probabilities"}
"""What the columns of single classes may begin with, before ``_0`` or ``_CLASS``."""
_LABELS = ("labels", "label", "target")
_IDS = ("ids", "id")
_SPLITS = {"test": "", "train": "train_", "validation": "validation_", "val": "validation_"}


class Table:
    """A table's columns, and the rows of each run.

    Args:
        path: A ``.parquet`` or ``.csv``, on this machine or in a store.
        what: What the file is called in a message.

    Raises:
        ValueError: It cannot be read, or lacks a column.
        OSError: It is not there.
    """

    def __init__(self, path: Path, what: str) -> None:
        self._what = what
        self._table = _read(path, what)
        names = self._table.column_names
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{what} has two columns of one name: {', '.join(twice)}.")
        self._layout = _layout(names, what)

    @property
    def has_runs(self) -> bool:
        """Whether it says of each row which run it is of."""
        return {"method", "seed"} <= set(self._table.column_names)

    def runs(self) -> list[tuple[str, int]]:
        """Method and seed of every run, as they first come.

        Raises:
            ValueError: A row has none, or a seed is no whole number.
        """
        keys = self._table.select(["method", "seed"]).group_by(
            ["method", "seed"], use_threads=False
        )
        found = []
        for row in keys.aggregate([]).to_pylist():
            method, seed = row["method"], row["seed"]
            if method is None or seed is None or seed != seed:
                raise ValueError(f"{self._what}: some rows have no method or no seed.")
            if isinstance(seed, str) or seed != int(seed) or seed < 0:
                raise ValueError(
                    f"{self._what}: seed must be a whole number, 0 or more; got {seed!r}."
                )
            found.append((str(method), int(seed)))
        return found

    def run(self, method: str, seed: int) -> RunPredictions:
        """The predictions of one run of several."""
        import pyarrow.compute as pc

        same = pc.and_(
            pc.equal(pc.cast(self._table["method"], "string"), method),
            pc.equal(pc.cast(self._table["seed"], "int64"), seed),
        )
        return self._predictions(self._table.filter(same), f"{self._what}, {method}, seed {seed}")

    def only_run(self) -> RunPredictions:
        """The predictions of all rows as those of one run."""
        return self._predictions(self._table, self._what)

    def _predictions(self, rows: Any, what: str) -> RunPredictions:
        layout = self._layout
        parts: dict[str, Part] = {}
        for prefix, of_split in self._splits(rows, what):
            parts[prefix] = check_part(
                what,
                _numbers(of_split, layout.outputs, what, layout.as_list),
                _column(of_split, layout.labels, what),
                None if layout.ids is None else _column(of_split, layout.ids, what),
                _numbers(of_split, ["features"], what, True) if layout.has_features else None,
                classes=layout.classes,
                prefix=prefix,
                named="probabilities" if layout.holds == "probabilities" else "logits",
            )
        if "" not in parts:
            raise ValueError(f"{what} has no rows of the test set; its split says {[*parts]}.")
        return RunPredictions(
            parts[""],
            parts.get("train_"),
            parts.get("validation_"),
            classes=layout.classes,
            passed_over=layout.passed_over,
        )

    def _splits(self, rows: Any, what: str) -> Iterator[tuple[str, Any]]:
        if "split" not in rows.column_names:
            yield "", rows
            return
        import pyarrow.compute as pc

        for name in pc.unique(rows["split"]).to_pylist():
            if name not in _SPLITS:
                raise ValueError(f"{what}: split must be test, train or validation; got {name!r}.")
            yield _SPLITS[name], rows.filter(pc.equal(rows["split"], name))


class _Layout(NamedTuple):
    """Which columns are what."""

    outputs: list[str]
    as_list: bool
    holds: str
    classes: tuple[str, ...] | None
    """Those that the columns are named after."""
    labels: str
    ids: str | None
    has_features: bool
    passed_over: tuple[str, ...]


def _layout(names: list[str], what: str) -> _Layout:
    lists = [name for name in names if name in _FIRST]
    each = [
        (name, match[1], match[2])
        for name in names
        if (match := re.fullmatch(rf"({'|'.join(_EACH)})_(.+)", name))
    ]
    kinds = {kind for _, kind, _ in each}
    if len(lists) + len(kinds) != 1:
        raise ValueError(
            f"{what} must have a column logits (or probabilities) of lists, or a column logit_0, "
            f"logit_1, … (probability_0, …) for each class; its columns are {', '.join(names)}."
        )
    labels = [name for name in names if name in _LABELS]
    ids = [name for name in names if name in _IDS]
    if len(labels) != 1 or len(ids) > 1:
        raise ValueError(
            f"{what} must have one column label, and one column id or none; its columns are "
            f"{', '.join(names)}."
        )
    classes: tuple[str, ...] | None = None
    if lists:
        outputs, holds = lists, _FIRST[lists[0]]
    else:
        holds = _EACH[next(iter(kinds))]
        suffixes = [suffix for *_, suffix in each]
        if all(suffix.isdecimal() for suffix in suffixes):
            order = sorted(range(len(each)), key=lambda k: int(suffixes[k]))
            if [int(suffixes[k]) for k in order] != list(range(len(each))):
                raise ValueError(
                    f"{what}: the columns of classes must be numbered 0 to {len(each) - 1} without "
                    f"a gap; got {', '.join(name for name, *_ in each[:5])}, …"
                )
            outputs = [each[k][0] for k in order]
        else:
            outputs, classes = [name for name, *_ in each], tuple(suffixes)
    known = {*outputs, *labels, *ids, "features", "method", "seed", "split"}
    return _Layout(
        outputs,
        bool(lists),
        holds,
        classes,
        labels[0],
        ids[0] if ids else None,
        "features" in names,
        tuple(name for name in names if name not in known),
    )


def _read(path: Path, what: str) -> Any:
    """The table as pyarrow has it."""
    import pyarrow
    from pyarrow import csv, parquet

    source = str(path) if isinstance(path, Path) else io.BytesIO(path.read_bytes())
    try:
        if path.suffix == ".parquet":
            return parquet.read_table(source, partitioning=None)
        return csv.read_csv(
            source, convert_options=csv.ConvertOptions(column_types={"method": pyarrow.string()})
        )
    except (pyarrow.ArrowException, ValueError) as error:
        first, *_ = str(error).splitlines()
        raise ValueError(f"{what} cannot be read: {first}") from error


def read_figures(path: Path, what: str) -> list[dict[str, Any]]:
    """The rows of a CSV, or of JSON lines, that hold the figures of epochs.

    Raises:
        ValueError: It cannot be read.
        OSError: It is not there.
    """
    if path.suffix == ".csv":
        rows: list[dict[str, Any]] = _read(path, what).to_pylist()
        return rows
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ValueError(f"{what}, line {number}, is no JSON: {error}.") from error
        if not isinstance(row, dict):
            raise ValueError(f"{what}, line {number}, is no object of figures.")
        found.append(row)
    return found


def _column(rows: Any, name: str, what: str) -> Array:
    column = rows[name].combine_chunks()
    if column.null_count:
        raise ValueError(f"{what}: {name} is missing in {column.null_count:,} rows.")
    array: Array = column.to_numpy(zero_copy_only=False)
    return array


def _numbers(rows: Any, names: list[str], what: str, as_list: bool) -> Array:
    """(N, K) from a column of lists, or from a column for each class."""
    if not as_list:
        return np.stack([_column(rows, name, what) for name in names], axis=1)
    (name,) = names
    column = rows[name].combine_chunks()
    if column.null_count:
        raise ValueError(f"{what}: {name} is missing in {column.null_count:,} rows.")
    if hasattr(column, "flatten"):
        values = column.flatten()
        if values.null_count:
            raise ValueError(f"{what}: {values.null_count:,} numbers of {name} are missing.")
        flat: Array = values.to_numpy(zero_copy_only=False)
        lengths = np.diff(column.offsets.to_numpy()) if hasattr(column, "offsets") else None
        uniform = lengths is None or (lengths == lengths[:1]).all()
        if uniform:
            return flat.reshape(len(column), -1) if len(column) else flat.reshape(0, 1)
    else:
        texts = column.to_pylist()
        try:
            # As pandas and JSON write a list into a CSV.
            lists = [json.loads(each) for each in texts]
            return np.array(lists, dtype=np.float64)
        except (ValueError, TypeError) as error:
            raise ValueError(
                f"{what}: {name} must hold a list of numbers in each row, such as [0.1, 2.5]; got "
                f"{texts[0]!r}."
            ) from error
    raise ValueError(f"{what}: the lists in {name} differ in length.")
