"""Predictions of one run as named arrays, in a file of numpy's or of safetensors.

The names are these, each with ``train_`` or ``validation_`` before it where it is of that part:
``logits`` (or ``probabilities``) and ``labels``, and if there are any ``ids`` and ``features``.
Beside them may stand ``classes`` (the names of the classes), ``method`` (the whole name of the
method) and ``history_NAME`` (a figure of each epoch). Writing needs numpy alone.
"""

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal

import numpy as np

from maxsup._files import atomic_write
from maxsup.data.predictions._arrays import Array, as_array
from maxsup.data.predictions._history import History, columns_of, rows_of
from maxsup.data.predictions._part import Part, check_part
from maxsup.data.predictions._run import RunPredictions

_PARTS = ("", "train_", "validation_")
_HISTORY = "history_"
_Named = Literal["logits", "probabilities"]


def write_archive(
    path: Path, arrays: Mapping[str, object], history: History | None, method: str | None
) -> None:
    """Check arrays by their names as above, and write them as an ``.npz``, atomically.

    Args:
        path: The file; its directory is made where it is missing.
        arrays: By name; those that are ``None`` are left out.
        history: Figures of each epoch.
        method: The whole name of the method.

    Raises:
        ValueError: They do not fit together.
        OSError: The file could not be written; a former one is intact.
    """
    found = {
        name: as_array(f"{path.name}: {name}", value)
        for name, value in arrays.items()
        if value is not None
    }
    columns = {} if history is None else columns_of(f"{path.name}: history", history)
    found |= {f"{_HISTORY}{name}": column for name, column in columns.items()}
    if method is not None:
        found["method"] = np.array(method)
    _read(path.name, found)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as file:
        np.savez(file, **found)  # type: ignore[arg-type]


def read_archive(path: Path, what: str) -> tuple[RunPredictions, str | None]:
    """Read a file, and the name of the method that stands in it.

    Args:
        path: An ``.npz`` or ``.safetensors``, on this machine or in a store.
        what: What the file is called in a message.

    Raises:
        ValueError: It cannot be read, lacks an array, or its arrays do not fit together.
        OSError: It is not there.
    """
    with _opened(path, what) as arrays:
        return _read(what, arrays), _method(arrays)


def read_method(path: Path, what: str) -> str | None:
    """The name of the method that stands in a file; little more of it is read."""
    with _opened(path, what) as arrays:
        return _method(arrays)


class _Arrays(Mapping[str, Array]):
    """Arrays by name, each read when it is asked for."""

    def __init__(self, names: list[str], get: Callable[[str], Array], what: str) -> None:
        self._names, self._get, self._what = names, get, what
        self.close: Callable[[], None] = lambda: None

    def __getitem__(self, name: str) -> Array:
        if name not in self._names:
            raise KeyError(name)
        try:
            return self._get(name)
        except (ValueError, zipfile.BadZipFile, OSError, EOFError) as error:
            if "pickle" in str(error):
                raise ValueError(
                    f"{self._what}: {name} holds pickled objects, which are not read as they could "
                    "run any program; save an array of numbers or text."
                ) from error
            raise _unreadable(self._what, error) from error

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __enter__(self) -> "_Arrays":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _opened(path: Path, what: str) -> _Arrays:
    if path.suffix == ".safetensors":
        return _opened_safetensors(path, what)
    source = path if isinstance(path, Path) else io.BytesIO(path.read_bytes())
    if isinstance(path, Path) and not path.exists():
        raise FileNotFoundError(2, "there is no such file", str(path))
    if isinstance(source, Path) and not zipfile.is_zipfile(source):
        # numpy would look for other kinds of files, and leave it open.
        raise _unreadable(what, ValueError("it is no whole .npz"))
    try:
        file = np.load(source, allow_pickle=False)
    except (ValueError, zipfile.BadZipFile, EOFError) as error:
        raise _unreadable(what, error) from error
    if not isinstance(file, np.lib.npyio.NpzFile):
        raise ValueError(f"{what} holds one array; save logits and labels by numpy.savez.")
    arrays = _Arrays(list(file.files), file.__getitem__, what)
    arrays.close = file.close
    return arrays


def _opened_safetensors(path: Path, what: str) -> _Arrays:
    from safetensors import SafetensorError
    from safetensors.torch import load  # numpy has no bfloat16

    try:
        tensors = load(path.read_bytes())
    except SafetensorError as error:
        raise _unreadable(what, error) from error
    return _Arrays(list(tensors), lambda name: as_array(name, tensors[name]), what)


def _unreadable(what: str, error: Exception) -> ValueError:
    return ValueError(
        f"{what} cannot be read ({error}): it was cut off, damaged, or is no such file. Write it "
        "again, or take it away."
    )


def _method(arrays: Mapping[str, Array]) -> str | None:
    return str(arrays["method"]) if "method" in arrays else None


def _read(what: str, arrays: Mapping[str, Array]) -> RunPredictions:
    known = {"classes", "method"}
    classes = None
    if "classes" in arrays:
        classes = tuple(str(each) for each in np.atleast_1d(arrays["classes"]).tolist())
    parts: list[Part | None] = []
    for prefix in _PARTS:
        names = {
            name: prefix + name for name in ("probabilities", "labels", "ids", "features", "logits")
        }
        # What our own runs keep names the labels as trained on apart.
        if f"{prefix}true_labels" in arrays:
            known.add(names["labels"])
            names["labels"] = f"{prefix}true_labels"
        known |= set(names.values())
        parts.append(_part(what, arrays, names, prefix, classes))
    test, train, validation = parts
    if test is None:
        raise ValueError(
            f"{what} lacks logits (or probabilities) with labels; it holds "
            f"{', '.join(arrays) or 'nothing'}."
        )
    figures = {name: arrays[name] for name in arrays if name.startswith(_HISTORY)}
    columns = columns_of(
        what, {name.removeprefix(_HISTORY): each for name, each in figures.items()}
    )
    for prefix, part in zip(_PARTS[1:], parts[1:], strict=True):
        if part is not None and part.logits.shape[1] != test.logits.shape[1]:
            raise ValueError(
                f"{what}: {prefix}logits have {part.logits.shape[1]} classes, and logits "
                f"{test.logits.shape[1]}."
            )
    return RunPredictions(
        test,
        train,
        validation,
        tuple(rows_of(columns)),
        classes,
        tuple(name for name in arrays if name not in known and name not in figures),
    )


def _part(
    what: str,
    arrays: Mapping[str, Array],
    names: Mapping[str, str],
    prefix: str,
    classes: tuple[str, ...] | None,
) -> Part | None:
    both: tuple[_Named, ...] = ("logits", "probabilities")
    given = [name for name in both if names[name] in arrays]
    there = [name for name in names.values() if name in arrays]
    if not there:
        return None
    if len(given) != 1 or names["labels"] not in arrays:
        raise ValueError(
            f"{what} must hold {prefix}labels and either {prefix}logits or {prefix}probabilities; "
            f"it holds {', '.join(arrays)}."
        )
    (named,) = given
    return check_part(
        what,
        arrays[names[named]],
        arrays[names["labels"]],
        arrays.get(names["ids"]),
        arrays.get(names["features"]),
        classes=classes,
        prefix=prefix,
        named=named,
    )
