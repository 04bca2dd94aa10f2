"""Folders of files that hold many images each: Parquet, WebDataset tars, Arrow."""

import glob
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from pathlib import Path, PurePath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from maxsup.data._digest import digest_of_files
from maxsup.data._settings import DataSettings
from maxsup.data.sources._class_names import check_class_names
from maxsup.data.sources._files import counted, listed, shown, suffix_of
from maxsup.data.sources._image_folder import ONE_SPLIT
from maxsup.data.sources._opened import OpenedData, Table
from maxsup.data.sources._roles import role_of_data_file, role_of_folder
from maxsup.data.sources._walk import Folder

BUILDERS = {".parquet": "parquet", ".tar": "webdataset", ".arrow": "arrow"}
"""What ``datasets`` calls its reader of each kind of file."""

Load = Callable[..., Any]
"""``datasets.load_dataset``, with its errors in one."""


def data_files_in(root: Folder) -> dict[str, list[str]]:
    """The places of the files that hold many images each, by their suffix."""
    found: dict[str, list[str]] = defaultdict(list)
    for folder in root.walk():
        for name in folder.others:
            if suffix_of(name) in BUILDERS:
                found[suffix_of(name)].append(f"{folder.place}{name}")
    return dict(found)


def holds_images(path: Path) -> bool:
    """Whether a Parquet file has a column that may be of images, by its description alone."""
    try:
        schema = pq.read_schema(path)
    except (OSError, pa.ArrowException):
        return True  # what is wrong with it is said when it is read
    if b'"Image"' in (schema.metadata or {}).get(b"huggingface", b""):
        return True
    return any(_may_be_images(field.type) for field in schema)


def _may_be_images(kind: Any) -> bool:
    if pa.types.is_struct(kind):
        return any(_may_be_images(kind.field(index).type) for index in range(kind.num_fields))
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def open_data_files(root: Folder, settings: DataSettings, load: Load) -> OpenedData:
    """Decide which files of a folder are of which split, by their names or those of their folders.

    Raises:
        ValueError: It cannot be decided; the message says how to mend it.
    """
    by_suffix = data_files_in(root)
    if len(by_suffix) > 1:
        kinds = [
            f"{counted(len(places), suffix + ' file')}" for suffix, places in by_suffix.items()
        ]
        raise ValueError(
            f"{settings.name} holds {listed(kinds)}: it cannot be told which of them are the data. "
            "Put them into folders of their own, and name one."
        )
    ((suffix, places),) = by_suffix.items()
    splits: dict[str, list[str]] = defaultdict(list)
    for place in places:
        splits[_split_of(place)].append(place)
    notes = []
    if len(splits) > 1 and (nameless := splits.pop("", [])):
        notes.append(
            f"Passed over {counted(len(nameless), 'file')} whose names say no split, where those "
            f"of others do: {listed(nameless)}."
        )
    files = {
        name or ONE_SPLIT: [str(root.path / place) for place in each]
        for name, each in splits.items()
    }
    if root.image_count:
        notes.append(f"Passed over {counted(root.image_count, 'image')} beside the {suffix} files.")

    def load_splits(names: Collection[str]) -> Mapping[str, Table]:
        options = {"streaming": True} if settings.streaming else {}
        found: dict[str, Table] = {}
        # One by one: of several, the names that the first gives to its classes would count for all.
        for name in names:
            check_class_names(files[name], name)
            chosen = {name: [glob.escape(file) for file in files[name]]}
            found |= load(BUILDERS[suffix], data_files=chosen, **options)
        return found

    return OpenedData(
        tuple(files), load_splits, {}, tuple(notes), lambda name: digest_of_files(files[name])
    )


def _split_of(place: str) -> str:
    """The split that a file's name or the names of its folders say; "" where they say none.

    >>> [_split_of(place) for place in ("Train/0.parquet", "data/test-00000-of-00001.parquet")]
    ['train', 'test']
    """
    *folders, name = place.split("/")
    by_folder = [role for folder in reversed(folders) if (role := role_of_folder(folder))]
    by_name = role_of_data_file(name)
    if by_name and by_folder and by_name != by_folder[0]:
        raise ValueError(
            f"The file {shown(place)} is of the split {by_folder[0]} by its folder, and of "
            f"{by_name} by its own name. Rename one of them."
        )
    return by_name or (by_folder[0] if by_folder else _numbered(name))


def _numbered(name: str) -> str:
    """The split of a file that is called as on the Hub, whatever the split is called there.

    >>> _numbered("holdout-00000-of-00002.parquet"), _numbered("birds.parquet")
    ('holdout', '')
    """
    stem, _, numbers = PurePath(name).stem.partition("-")
    parts = numbers.split("-")
    is_numbered = len(parts) >= 3 and parts[0].isdigit() and parts[1] == "of" and parts[2].isdigit()
    return stem if is_numbered and stem.replace("_", "a").replace(".", "a").isalnum() else ""
