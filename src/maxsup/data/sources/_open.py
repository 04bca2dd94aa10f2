"""Folders, files and Hub data sets: their splits and columns."""

import contextlib
import itertools
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import datasets

from maxsup._home import expand_home
from maxsup.data._settings import DataSettings, near_name
from maxsup.data.sources._columns import find_image_column, find_label_column
from maxsup.data.sources._data_files import (
    BUILDERS,
    Load,
    data_files_in,
    holds_images,
    open_data_files,
)
from maxsup.data.sources._files import counted, listed, suffix_of
from maxsup.data.sources._image_folder import ONE_SPLIT, open_image_folder
from maxsup.data.sources._metadata import has_metadata, open_metadata
from maxsup.data.sources._opened import OpenedData, Table
from maxsup.data.sources._parts import (
    canonical,
    is_whole,
    shared_rows,
    sizes_of,
    split_names,
    stretches,
    take,
)
from maxsup.data.sources._roles import Role, role_of_folder
from maxsup.data.sources._walk import Folder, walk

_NO_REASON = (datasets.exceptions.DatasetGenerationError,)
_ARCHIVES = (".zip", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar")


class Source(NamedTuple):
    """Where the images and labels of a data set stand."""

    train: Table
    validation: Table | None
    test: Table | None
    image_column: str
    label_column: str
    train_name: str
    validation_name: str | None
    test_name: str | None
    notes: tuple[str, ...] = ()
    """What a user should know of how the data was read, in sentences: what was passed over, and
    what was decided where it could have been meant otherwise."""
    identity: Callable[[str], str] | None = None
    """What tells the contents of a whole split from others, where it is files on this machine."""


class SplitSource(NamedTuple):
    """Where the images and labels of one split stand."""

    name: str
    table: Table
    image_column: str
    label_column: str


class Chosen(NamedTuple):
    """The splits, or parts of splits, that are used."""

    train: str
    validation: str | None
    test: str | None

    def named(self) -> dict[str, str]:
        """Those that there are, by the setting that names them."""
        texts = {
            "train_split": self.train,
            "validation_split": self.validation,
            "test_split": self.test,
        }
        return {argument: text for argument, text in texts.items() if text is not None}


def open_source(settings: DataSettings, prefer_label: str | None) -> Source:
    """Find a data set's splits and columns.

    Args:
        settings: Which data, splits and columns.
        prefer_label: The column of labels to take where several could be meant.

    Raises:
        ValueError: There is no such data, split or column, it is ambiguous, or two parts have
            samples in common; the message lists what there is.
    """
    opened = open_data(settings)
    chosen, notes = choose_splits(settings, opened)
    tables = load_parts(settings, opened, chosen.named())
    train = tables["train_split"]
    image_column = find_image_column(settings, train.features)
    label_column = find_label_column(settings, train.features, prefer_label)
    _check_labels_are_there(opened, _names_of(chosen.named(), opened), label_column)
    return Source(
        train,
        tables.get("validation_split"),
        tables.get("test_split"),
        image_column,
        label_column,
        chosen.train,
        chosen.validation,
        chosen.test,
        (*opened.notes, *notes),
        opened.identity,
    )


def open_splits(
    settings: DataSettings, texts: Sequence[str] | None
) -> tuple[list[SplitSource], tuple[str, ...]]:
    """Find splits, or parts of splits, and their columns, whatever each is for.

    Args:
        settings: Which data and columns.
        texts: The splits or parts; by default those to train, to validate and to measure on.

    Returns:
        The splits, called without the part that is taken of them, and what a user should know.

    Raises:
        ValueError: There is no such data, split or column, or it is ambiguous.
    """
    opened = open_data(settings)
    notes: list[str] = []
    if texts is None:
        chosen, notes = choose_splits(settings, opened)
        texts = tuple(chosen.named().values())
    named = [canonical("splits", text, opened) for text in texts]
    names = list(dict.fromkeys(n for text in named for n in split_names("splits", text, opened)))
    tables = opened.load(names)
    sizes = sizes_of(tables)
    found = []
    for text in named:
        table = take(tables, stretches("splits", text, sizes))
        image_column = find_image_column(settings, table.features)
        label_column = find_label_column(settings, table.features, None)
        # "train[:10%]" is read so, and called "train".
        found.append(SplitSource(text.partition("[")[0], table, image_column, label_column))
    _check_labels_are_there(opened, names, found[0].label_column)
    return found, (*opened.notes, *notes)


def open_data(settings: DataSettings, *, labelled: bool = True) -> OpenedData:
    """Find out what a data set's name means, and which splits it has.

    Args:
        settings: Which data.
        labelled: Whether its images need labels; of a folder without labels the class is then
            the name of the folder that each image lies in.

    Raises:
        ValueError: There is no such data, or it cannot be told what it is.
    """
    name = settings.name
    if name.startswith("hf:"):
        return _open_hub(settings)
    _check_name(name)
    path = expand_home(name.removeprefix("file://"))
    if path.is_dir():
        return _open_folder(path, settings, labelled=labelled)
    if path.is_file():
        return _open_file(path, settings, labelled=labelled)
    close = near_name(name)
    hint = f" Did you mean {close!r}?" if close else ""
    raise ValueError(
        f"There is no data called {name!r}: no file or folder has this path.{hint} Name digits, "
        "the path of a folder (image folder, Parquet or WebDataset files), or hf:owner/name for a "
        "data set of the Hugging Face Hub."
    )


def choose_splits(settings: DataSettings, opened: OpenedData) -> tuple[Chosen, list[str]]:
    """The splits to train, to validate and to measure on: those that are named, or called so.

    Returns:
        The splits, and what a user should know of the choice.

    Raises:
        ValueError: A split is not there, or it cannot be told which one is meant.
    """
    asked = {
        "train_split": settings.train_split,
        "validation_split": settings.validation_split,
        "test_split": settings.test_split,
    }
    named = {
        argument: canonical(argument, text, opened)
        for argument, text in asked.items()
        if text is not None
    }
    train = named.get("train_split") or _called(opened.splits, "train", "--train-split")
    if train is None and len(opened.splits) == 1:
        (train,) = opened.splits
    if train is None:
        raise ValueError(
            f"{settings.name} has no split called train; it has {', '.join(opened.splits)}. Name "
            "the one to train on with --train-split."
        )
    free = [name for name in opened.splits if name not in (train, *named.values())]
    validation, test = named.get("validation_split"), named.get("test_split")
    test = test or _called(free, "test", "--test-split")
    notes = []
    # Not on one of which a part is named: what is left of it must be named too.
    taken = {name for text in (train, *named.values()) for name in split_names("", text, opened)}
    free = [name for name in free if name not in taken]
    if validation is None and (alike := _called(free, "validation", "--validation-split")):
        if test is None:
            test = alike
            notes.append(f"The data has no test split: the split {alike} takes its place.")
        elif settings.validation:
            notes.append(
                f"The split {alike} is not used: --validation holds a part of the training set "
                "out instead."
            )
        else:
            validation = alike
    if validation is not None:
        notes.append(f"The validation set is the split {validation}.")
    return Chosen(train, validation, test), notes


def _called(names: Sequence[str], role: Role, option: str) -> str | None:
    """The split that is called as it is used, or else the only one that is called likewise.

    Raises:
        ValueError: There are several.
    """
    if role in names:
        return role
    alike = [name for name in names if role_of_folder(name) == role]
    if len(alike) > 1:
        raise ValueError(
            f"Several splits may be the one to use as {role}: {', '.join(alike)}. Name one with "
            f"{option}."
        )
    return alike[0] if alike else None


def load_parts(
    settings: DataSettings, opened: OpenedData, named: Mapping[str, str]
) -> dict[str, Table]:
    """Load splits, or parts of splits, none of which may be in two of them.

    Args:
        settings: Of the data.
        opened: The data.
        named: What to load, by the setting that names it.

    Returns:
        What was loaded, by the same keys.

    Raises:
        ValueError: A part is none, or two have rows in common.
    """
    if settings.streaming:
        for text in named.values():
            if not is_whole(text):
                raise ValueError(
                    f"{text} is a part of a split, which cannot be streamed. Leave --streaming "
                    "away, or name a whole split."
                )
    names = _names_of(named, opened)
    tables = opened.load(names)
    sizes = dict.fromkeys(names, 1) if settings.streaming else sizes_of(tables)
    parts = {argument: stretches(argument, text, sizes) for argument, text in named.items()}
    for first, second in itertools.combinations(parts, 2):
        if shared := shared_rows(parts[first], parts[second]):
            how_many = "all rows" if settings.streaming else counted(shared, "row")
            raise ValueError(
                f"{first} {named[first]} and {second} {named[second]} have {how_many} in common: "
                "a model must not be measured on what it was trained on. Name other splits, or "
                "parts that lie apart, such as train[:80%] and train[80%:]."
            )
    if settings.streaming:
        return {argument: tables[text] for argument, text in named.items()}
    return {argument: take(tables, each) for argument, each in parts.items()}


def _names_of(named: Mapping[str, str], opened: OpenedData) -> list[str]:
    """The splits that settings take something of, each once."""
    found = (split_names(argument, text, opened) for argument, text in named.items())
    return list(dict.fromkeys(itertools.chain.from_iterable(found)))


def _check_labels_are_there(opened: OpenedData, names: Sequence[str], column: str) -> None:
    """See that every row that is written in a file has a label there.

    Raises:
        ValueError: Some have none; the message says which.
    """
    missing = [place for name in names for place in opened.missing(name, column)]
    if missing:
        raise ValueError(
            f"{counted(len(missing), 'image')} {'has' if len(missing) == 1 else 'have'} no label, "
            f"with nothing in the column {column}: {listed(missing, 5)}. Fill it in, or remove the "
            "lines."
        )


def _check_name(name: str) -> None:
    if not name.strip():
        raise ValueError(
            "The data has no name. Name digits, the path of a folder, or hf:owner/name; . is the "
            "current folder."
        )
    scheme, separator, rest = name.partition(":")
    # One letter before a colon is a drive of Windows.
    if not separator or not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9+.-]+", scheme) or scheme == "file":
        return
    if Path(name).exists():
        return
    on_the_hub = re.search(r"/datasets/([\w.-]+/[\w.-]+)", rest)
    raise ValueError(
        f"{name} is no path: data is read from this machine's disks or from the Hub. "
        + (
            f"A data set of the Hub is named hf:{on_the_hub[1]}."
            if on_the_hub
            else "Copy it into a folder here, and name that."
        )
    )


def _open_hub(settings: DataSettings) -> OpenedData:
    repository = settings.name.removeprefix("hf:")
    parts = repository.split("/")
    if len(parts) > 2 or not all(re.fullmatch(r"\w[\w.-]*", part) for part in parts):
        raise ValueError(
            f"{settings.name!r} names no data set of the Hub; they are called hf:owner/name."
        )
    # A folder that happens to be called so here would be taken, and so would the name of a reader.
    is_taken = Path(repository).exists() or (
        len(parts) == 1 and find_spec(f"datasets.packaged_modules.{repository}") is not None
    )
    return _open_by_library(settings, f"hf://datasets/{repository}" if is_taken else repository)


def _open_by_library(settings: DataSettings, path: str, *notes: str) -> OpenedData:
    """Leave all of it to ``datasets``."""
    options = {"streaming": True} if settings.streaming else {}
    tables = _loader(settings.name)(path, **options)
    return OpenedData(tuple(tables), lambda names: {n: tables[n] for n in names}, notes=notes)


def _open_folder(path: Path, settings: DataSettings, *, labelled: bool) -> OpenedData:
    if (path / "dataset_dict.json").is_file() or (path / "state.json").is_file():
        return _open_saved(path, settings)
    if _card_names_splits(path):
        return _open_by_library(
            settings, str(path), "Splits are those that the folder's README.md names."
        )
    root = walk(path)
    if has_metadata(root):
        return open_metadata(root, settings)
    by_suffix = data_files_in(root)
    # Where nothing else can be meant, what is wrong with their columns is said.
    if (by_suffix and not root.image_count) or any(
        suffix != ".parquet" or holds_images(path / places[0])
        for suffix, places in by_suffix.items()
        if not _is_image_folder(root) or suffix == ".parquet"
    ):
        return open_data_files(root, settings, _loader(settings.name))
    _check_archives(root, settings.name)
    return open_image_folder(root, settings, labelled=labelled)


def _is_image_folder(root: Folder) -> bool:
    """Whether images lie in several folders, as in those of classes."""
    return sum(bool(folder.images) for folder in root.walk()) > 1


def _check_archives(root: Folder, name: str) -> None:
    archives = [
        f"{folder.place}{file}"
        for folder in root.walk()
        for file in folder.others
        if suffix_of(file) in _ARCHIVES
    ]
    if archives and not root.image_count:
        raise ValueError(
            f"{name} holds no images but archives: {listed(archives)}. Unpack them, and name the "
            "folder that comes of it."
        )


def _card_names_splits(path: Path) -> bool:
    """Whether the card of a data set, cloned from the Hub, says which files are which split."""
    try:
        text = (path / "README.md").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    head = re.match(r"---\s*\n(.*?)\n---", text, re.DOTALL)
    return (
        head is not None and re.search(r"^\s*(- )?data_files:", head[1], re.MULTILINE) is not None
    )


def _open_saved(path: Path, settings: DataSettings) -> OpenedData:
    """What ``datasets`` has written with ``save_to_disk``."""
    if settings.streaming:
        raise ValueError(
            f"{settings.name} was written by save_to_disk and is read from there as needed; leave "
            "--streaming away."
        )
    found = _attempt(settings.name, datasets.load_from_disk, str(path))
    tables = found if isinstance(found, datasets.DatasetDict) else {ONE_SPLIT: found}
    return OpenedData(tuple(tables), lambda names: {name: tables[name] for name in names})


def _open_file(path: Path, settings: DataSettings, *, labelled: bool) -> OpenedData:
    suffix = suffix_of(path.name)
    if suffix not in BUILDERS:
        archive = " Unpack it, and name the folder that comes of it." if suffix in _ARCHIVES else ""
        raise ValueError(
            f"{settings.name} is a file of unknown kind; known are {', '.join(BUILDERS)}.{archive} "
            "Images belong into a folder"
            + (" with a sub-folder for each class." if labelled else ", which is named.")
        )
    alone = Folder(path.absolute().parent, "", (), (path.name,), ())
    opened = open_data_files(alone, settings, _loader(settings.name))
    (name,) = opened.splits
    files_identity = opened.identity
    assert files_identity is not None

    def load(names: Collection[str]) -> Mapping[str, Table]:
        return {ONE_SPLIT: opened.load([name])[name]} if names else {}

    # A file that is named is what to train on, whatever it is called.
    return OpenedData((ONE_SPLIT,), load, {name: ONE_SPLIT}, (), lambda _: files_identity(name))


def _loader(name: str) -> Load:
    return partial(_attempt, name, datasets.load_dataset)


def _attempt(name: str, read: Load, *args: Any, **options: Any) -> Any:
    try:
        with _without_progress_bars():
            return read(*args, **options)
    except Exception as error:
        # The library raises a dozen kinds of errors here, its own and those of what it calls. Its
        # own may say no more than that something went wrong.
        cause = error.__cause__ if isinstance(error, _NO_REASON) and error.__cause__ else error
        reason = str(cause).strip().splitlines()[0] if str(cause).strip() else repr(cause)
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
