"""Folders, files and Hub data sets, by way of Hugging Face ``datasets``."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import datasets

from maxsup.data._settings import DataSettings, near_name
from maxsup.data.sources._columns import find_image_column, find_label_column

_TEST_SPLITS = ("test", "validation", "valid", "val")
_FILE_BUILDERS = {".parquet": "parquet", ".tar": "webdataset", ".arrow": "arrow"}


class Source(NamedTuple):
    """Where the images and labels of a data set stand."""

    train: Any
    """A ``datasets.Dataset``, or ``IterableDataset`` where it is streamed."""
    test: Any | None
    image_column: str
    label_column: str
    train_name: str
    test_name: str | None


def open_source(settings: DataSettings, prefer_label: str | None) -> Source:
    """Find a data set's splits and columns.

    Args:
        settings: Which data, splits and columns.
        prefer_label: The column of labels to take where several could be meant.

    Raises:
        ValueError: There is no such data, split or column, or it is ambiguous; the message lists
            what there is.
    """
    options = {"streaming": True} if settings.streaming else {}
    splits = _load_splits(settings.name, **options)
    train_name = _train_split(settings, splits)
    test_name = _test_split(settings, splits, train_name)
    train = _read_split(settings.name, splits, train_name, options)
    image_column = find_image_column(settings, train.features)
    label_column = find_label_column(settings, train.features, prefer_label)
    return Source(
        train,
        _read_split(settings.name, splits, test_name, options) if test_name is not None else None,
        image_column,
        label_column,
        train_name,
        test_name,
    )


def _read_split(name: str, splits: Any, split: str, options: dict[str, Any]) -> Any:
    """A split, or the slice of one that ``datasets`` writes as ``train[:1000]``."""
    if split in splits:
        return splits[split]
    if options.get("streaming"):
        raise ValueError(
            f"{split} is a part of a split, which cannot be streamed. Leave --streaming away, or "
            "name a whole split."
        )
    return _load_splits(name, split=split, **options)


def _load_splits(name: str, **options: Any) -> Any:
    with _without_progress_bars():
        if name.startswith("hf:"):
            return _load(name, name.removeprefix("hf:"), **options)
        path = Path(name).expanduser()
        if path.is_dir():
            return _load(name, str(path), **options)
        if path.is_file():
            builder = _FILE_BUILDERS.get(path.suffix)
            if builder is None:
                raise ValueError(
                    f"{name} is a file of unknown kind; known are {', '.join(_FILE_BUILDERS)}. "
                    "Images belong into a folder with a sub-folder for each class."
                )
            return _load(name, builder, data_files={"train": str(path)}, **options)
    close = near_name(name)
    hint = f" Did you mean {close!r}?" if close else ""
    raise ValueError(
        f"There is no data called {name!r}: no file or folder has this path.{hint} Name digits, "
        "the path of a folder (image folder, Parquet or WebDataset files), or hf:owner/name for a "
        "data set of the Hugging Face Hub."
    )


def _load(name: str, *args: Any, **options: Any) -> Any:
    try:
        return datasets.load_dataset(*args, **options)
    except Exception as error:
        # The library raises a dozen kinds of errors here, its own and those of what it calls.
        reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise ValueError(f"{name} cannot be loaded as a data set: {reason}") from error


@contextlib.contextmanager
def _without_progress_bars() -> Iterator[None]:
    were_shown = not datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        if were_shown:
            datasets.enable_progress_bars()


def _train_split(settings: DataSettings, splits: Any) -> str:
    if settings.train_split is not None:
        return _existing("train_split", settings.train_split, splits)
    if "train" in splits:
        return "train"
    if len(splits) == 1:
        return str(next(iter(splits)))
    raise ValueError(
        f"{settings.name} has no split called train; it has {', '.join(splits)}. Name the one to "
        "train on with --train-split."
    )


def _test_split(settings: DataSettings, splits: Any, train_name: str) -> str | None:
    if settings.test_split is not None:
        return _existing("test_split", settings.test_split, splits)
    return next((name for name in _TEST_SPLITS if name in splits and name != train_name), None)


def _existing(argument: str, name: str, splits: Any) -> str:
    if name.partition("[")[0] not in splits:
        raise ValueError(
            f"{argument}: there is no split called {name!r}; there are {', '.join(splits)}."
        )
    return name
