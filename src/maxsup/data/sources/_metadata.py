"""A folder of images whose labels stand in a file beside them: metadata.csv, .jsonl, .parquet."""

import csv
import json
import posixpath
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import datasets
import pyarrow as pa
import pyarrow.parquet as pq

from maxsup.data._digest import digest_of_files
from maxsup.data._settings import DataSettings
from maxsup.data.sources._files import class_name, counted, listed, shown
from maxsup.data.sources._image_folder import ONE_SPLIT, notes_on_others
from maxsup.data.sources._opened import ImageRows, OpenedData, Table
from maxsup.data.sources._roles import role_of_folder
from maxsup.data.sources._walk import Folder

_NAMES = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
_FILE_COLUMN = "file_name"
_SPLIT_COLUMN = "split"
_FOLDER_COLUMN = "folder"
"""The column that holds the name of the folder of each image, where images lie in several."""
_WHOLE_NUMBER = re.compile(r"[+-]?\d+")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
"""Not all that float() takes for one: a class may be called "nan" or "inf"."""


class _Row(NamedTuple):
    """A line of a metadata file."""

    path: str
    place: str
    """The image's path within the folder."""
    values: Mapping[str, Any]
    source: str
    """The file and the line, for messages."""


def has_metadata(root: Folder) -> bool:
    """Whether there is a file of labels in a folder, or in one below."""
    return any(name.lower() in _NAMES for folder in root.walk() for name in folder.others)


def open_metadata(root: Folder, settings: DataSettings) -> OpenedData:
    """Read the labels of images from the files that list them, as they are written.

    All values of a ``metadata.csv`` are text: codes such as ``01`` stay what they are, and ``NA``
    is a name like others. Only what is left empty is missing.

    Raises:
        ValueError: A file cannot be read, lacks the column ``file_name``, or names images that are
            not there; the message says which.
    """
    rows = [row for folder in root.walk() for row in _rows_in(folder)]
    _check_files(rows, settings.name)
    splits, notes = _divide(rows, settings.name)
    listed_places = {row.place for row in rows}
    unlisted = [
        f"{folder.place}{image}"
        for folder in root.walk()
        for image in folder.images
        if f"{folder.place}{image}" not in listed_places
    ]
    if unlisted:
        notes.append(
            f"Passed over {counted(len(unlisted), 'image')} that no metadata file lists: "
            f"{listed(unlisted)}."
        )
    notes += notes_on_others(root.without(_NAMES))
    kinds = {
        name: _kind(name, [row.values.get(name) for row in rows])
        for name in _columns(rows, settings.name)
    }

    def load(names: Collection[str]) -> Mapping[str, Table]:
        return {
            name: ImageRows(
                [row.path for row in splits[name]],
                {
                    column: [kind.read(row.values.get(column)) for row in splits[name]]
                    for column, kind in kinds.items()
                },
                {column: kind.feature for column, kind in kinds.items()},
            ).table(name, streaming=settings.streaming)
            for name in names
        }

    def missing(split: str, column: str) -> list[str]:
        return [row.source for row in splits[split] if row.values.get(column) is None]

    def identity(split: str) -> str:
        return digest_of_files([row.path for row in splits[split]])

    return OpenedData(tuple(splits), load, {}, tuple(notes), identity, missing)


def _rows_in(folder: Folder) -> Iterator[_Row]:
    names = [name for name in folder.others if name.lower() in _NAMES]
    if not names:
        return
    if len(names) > 1:
        raise ValueError(
            f"{listed(names)} lie side by side in {folder.place or 'the folder'}: it cannot be "
            "told which of them holds the labels. Keep one."
        )
    (name,) = names
    file = f"{folder.place}{name}"
    path = folder.path / name
    read = {".csv": _read_csv, ".jsonl": _read_jsonl, ".parquet": _read_parquet}
    for line, values in read[path.suffix.lower()](path, file):
        image = values.pop(_FILE_COLUMN)
        if not isinstance(image, str) or not image:
            raise ValueError(f"{file}, {line}: {_FILE_COLUMN} is empty; it names the image's file.")
        within = posixpath.normpath(image.replace("\\", "/"))
        # An absolute path stays one.
        place = posixpath.normpath(posixpath.join(folder.place, within))
        values[_FOLDER_COLUMN] = values.get(_FOLDER_COLUMN, class_name(_parent(place)))
        yield _Row(str(folder.path / within), place, values, f"{file}, {line} ({shown(image)})")


def _read_csv(path: Path, file: str) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            header = stream.readline()
            stream.seek(0)
            separator = max(",;\t", key=header.count)
            reader = csv.reader(stream, delimiter=separator, skipinitialspace=True, strict=True)
            names = [name.strip() for name in next(reader, [])]
            _check_columns(file, names)
            for fields in reader:
                if not fields:
                    continue
                if len(fields) != len(names):
                    raise ValueError(
                        f"{file}, line {reader.line_num}, has {counted(len(fields), 'field')}, and "
                        f"its header {len(names)}. Put text with a {separator!r} in it in double "
                        "quotes."
                    )
                values = {name: text or None for name, text in zip(names, fields, strict=True)}
                yield f"line {reader.line_num}", values
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(
            f"{file} cannot be read as CSV in UTF-8: {error}. Save it anew as such."
        ) from error


def _read_jsonl(path: Path, file: str) -> Iterator[tuple[str, dict[str, Any]]]:
    with path.open(encoding="utf-8") as stream:
        for number, text in enumerate(stream, start=1):
            if not text.strip():
                continue
            try:
                values = json.loads(text)
            except ValueError as error:
                raise ValueError(f"{file}, line {number}, is no JSON: {error}.") from error
            if not isinstance(values, dict):
                raise ValueError(f"{file}, line {number}, is no JSON object.")
            _check_columns(file, list(values))
            yield f"line {number}", values


def _read_parquet(path: Path, file: str) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise ValueError(f"{file} cannot be read as Parquet: {error}.") from error
    _check_columns(file, table.column_names)
    for number, values in enumerate(table.to_pylist()):
        yield f"row {number}", values


def _check_columns(file: str, names: list[str]) -> None:
    if _FILE_COLUMN not in names:
        raise ValueError(
            f"{file} has no column {_FILE_COLUMN}, which holds the path of each image beside it; "
            f"it has {listed(names, 10) or 'none'}. Rename the one that does."
        )
    if len(set(names)) < len(names):
        raise ValueError(f"{file} has columns of the same name; it has {listed(names, 10)}.")


def _check_files(rows: list[_Row], name: str) -> None:
    if not rows:
        raise ValueError(f"The metadata files of {name} list no images.")
    missing = [row.source for row in rows if not Path(row.path).is_file()]
    if missing:
        raise ValueError(
            f"{counted(len(missing), 'image')} that metadata files of {name} list "
            f"{'is' if len(missing) == 1 else 'are'} not there: {listed(missing, 5)}. Paths are "
            "relative to the folder of the file."
        )


def _divide(rows: list[_Row], name: str) -> tuple[dict[str, list[_Row]], list[str]]:
    """The rows of each split: by a column of that name, else by the folders at the top.

    Raises:
        ValueError: Some are of a split by that, and others are not.
    """
    written = [str(row.values.get(_SPLIT_COLUMN) or "") for row in rows]
    tops = _tops([row.place for row in rows])
    for what, values in (
        (f"the column {_SPLIT_COLUMN}", written),
        ("the folders at the top", tops),
    ):
        roles = {value: role_of_folder(value) for value in dict.fromkeys(values)}
        if not any(roles.values()):
            continue
        if not all(roles.values()):
            rest = [value or "nothing" for value, role in roles.items() if not role]
            raise ValueError(
                f"By {what}, some images of {name} are of the splits "
                f"{listed(dict.fromkeys(str(role) for role in roles.values() if role))}, and "
                f"others not ({listed(rest)}). Say of each image which split it is of, in a column "
                f"{_SPLIT_COLUMN} of the metadata file: train, validation or test."
            )
        splits: dict[str, list[_Row]] = defaultdict(list)
        for value, row in zip(values, rows, strict=True):
            splits[str(roles[value])].append(row)
        taken = [f"{value} as {role}" for value, role in roles.items() if role != value]
        return dict(splits), [f"Splits are those of {what}{f': {listed(taken)}' if taken else ''}."]
    return {ONE_SPLIT: rows}, []


def _tops(places: list[str]) -> list[str]:
    """The folder that tells images from others, below those that all of them share; "" for none."""
    folders = [PurePosixPath(place).parts[:-1] for place in places]
    deep = len(posixpath.commonprefix(folders))  # of parts, as of letters
    return [parts[deep] if len(parts) > deep else "" for parts in folders]


def _parent(place: str) -> str:
    return PurePosixPath(place).parent.name


def _columns(rows: list[_Row], name: str) -> list[str]:
    """The names of the columns, but for those that tell nothing of an image's class."""
    names = list(dict.fromkeys(name for row in rows for name in row.values))
    if "image" in names:
        raise ValueError(
            f"The metadata files of {name} have a column image, which is what the images "
            "themselves are called. Rename it."
        )
    folders = {row.values[_FOLDER_COLUMN] for row in rows}
    told = {
        _SPLIT_COLUMN: not all(role_of_folder(str(row.values.get(_SPLIT_COLUMN))) for row in rows),
        _FOLDER_COLUMN: len(folders) > 1 and not all(role_of_folder(str(f)) for f in folders),
    }
    return [name for name in names if told.get(name, True)]


class _Kind(NamedTuple):
    """What a column holds."""

    feature: Any
    read: Any


def _kind(name: str, values: list[Any]) -> _Kind:
    """A column's kind, from all that stands in it; a class is told by what is written, exactly."""
    found = [value for value in values if value is not None]
    types = {type(value) for value in found}
    if types <= {str}:
        if found and all(re.fullmatch(r"[+-]?\d+\.0+", value) for value in found):
            # Whole numbers, written by a program that makes fractions of them.
            return _Kind(datasets.Value("string"), _whole)
        # Whole numbers may be codes, such as 01; others are measured.
        is_measured = all(_NUMBER.fullmatch(value) for value in found) and not all(
            _WHOLE_NUMBER.fullmatch(value) for value in found
        )
        if is_measured:
            return _Kind(datasets.Value("float64"), _number)
        return _Kind(datasets.Value("string"), lambda value: value)
    if types == {bool}:
        return _Kind(datasets.Value("bool"), lambda value: value)
    if types == {int}:
        return _Kind(datasets.Value("int64"), lambda value: value)
    if types <= {int, float}:
        return _Kind(datasets.Value("float64"), _number)
    if types <= {str, int, bool, float}:
        return _Kind(datasets.Value("string"), lambda value: None if value is None else str(value))
    try:
        kind = pa.array(found).type
    except (pa.ArrowException, TypeError) as error:
        raise ValueError(
            f"The column {name} of the metadata files cannot be read: {error}."
        ) from error
    return _Kind(datasets.features.features.generate_from_arrow_type(kind), lambda value: value)


def _whole(value: str | None) -> str | None:
    return None if value is None else value.partition(".")[0]


def _number(value: str | float | None) -> float | None:
    return None if value is None else float(value)
