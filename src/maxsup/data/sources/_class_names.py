"""The names of classes that Parquet and Arrow files give to the numbers in their columns."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_SHOWN = 5  # names in a message


def check_class_names(files: Sequence[str], split: str) -> None:
    """See that the files of a split mean the same classes by the same numbers.

    ``datasets`` takes the names of the first file for all of them.

    Args:
        files: Parquet or Arrow files; others, and those that cannot be read, are passed over.
        split: The split's name, for messages.

    Raises:
        ValueError: Two files have different names, or the same in different orders.
    """
    first: dict[str, tuple[str, list[str]]] = {}
    for file in files:
        for column, names in _class_names(file).items():
            other, expected = first.setdefault(column, (file, names))
            if names != expected:
                raise ValueError(
                    f"Files of split {split} number the classes of the column {column} "
                    f"differently: {Path(other).name} has {_shown(expected)}, and "
                    f"{Path(file).name} has {_shown(names)}. Write them anew with the same names "
                    "in the same order."
                )


def _class_names(file: str) -> dict[str, list[str]]:
    """The names of each column that has some, as ``datasets`` keeps them in a file's schema."""
    try:
        metadata = _schema(file).metadata or {}
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        return {
            column: list(kind["names"])
            for column, kind in features.items()
            if kind.get("_type") == "ClassLabel"
        }
    except (OSError, KeyError, TypeError, AttributeError, ValueError, pa.ArrowException):
        return {}  # what is wrong with it is said when it is read


def _schema(file: str) -> Any:
    if not file.endswith(".arrow"):
        return pq.read_schema(file)
    with pa.memory_map(file) as source:
        try:
            return pa.ipc.open_stream(source).schema
        except pa.ArrowInvalid:
            return pa.ipc.open_file(source).schema


def _shown(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
