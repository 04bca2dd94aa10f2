"""Photographs made smaller once, so that every epoch decodes less.

What it costs in accuracy, and what it gains in speed, is in ``benchmarks/RESULTS.md``.
"""

import json
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import datasets
import pyarrow as pa
import pyarrow.parquet as pq

from maxsup._files import atomic_write, write_text
from maxsup._home import expand_home
from maxsup.data._corrupt import Corrupt, list_corrupt
from maxsup.data._depth import notes_on_depth
from maxsup.data._entry import Entry, UnreadableImageError, entry_path, read_entry
from maxsup.data._settings import DataSettings
from maxsup.data._without_effect import check_settings_of_preparation
from maxsup.data.prepare._settings import ShrinkSettings
from maxsup.data.prepare._shrink import shrink_image
from maxsup.data.sources._labels import read_classes, read_labels
from maxsup.data.sources._open import SplitSource, open_splits

_AT_ONCE = 256  # images; a row group of the Parquet files
_SAMPLE = 200  # images from which the size of all is estimated
_PLAN_FILE = "prepare.json"
_Rewrite = Callable[[Entry], bytes | UnreadableImageError]
_CORRUPT_KEY = b"maxsup.corrupt"  # in a file's metadata, so that it is there with the file


class Prepared(NamedTuple):
    """What has been written."""

    images: int
    shards: int
    corrupt: tuple[Corrupt, ...]


def prepare_shards(
    data: DataSettings,
    out: Path,
    *,
    shrink: ShrinkSettings | None = None,
    shard_size: int = 512 * 10**6,
    splits: tuple[str, ...] | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    announce: Callable[[str], None] | None = None,
) -> Prepared:
    """Write a data set anew as Parquet files of smaller JPEGs, as the Hugging Face Hub lays them.

    ``datasets.load_dataset(out)``, and every command here, reads them: an image and a label with
    the classes' names; other columns are left out. A file is there as a whole or not at all. After
    an interruption the same call goes on with the files that are missing.

    Args:
        data: Which images, and how many may be left out for being corrupt. Parts held out, a long
            tail and label noise are left to the training, and refused here.
        out: The directory to write to.
        shrink: How the images are written.
        shard_size: About how many bytes a file has.
        splits: The splits to write; by default those to train, to validate and to measure on.
        workers: Threads, one for each core by default.
        progress: Is told how many images are done, of how many.
        announce: Is told what was chosen and passed over in the data, in sentences.

    Raises:
        ValueError: The data cannot be used, the directory has been written with other settings, or
            more images are corrupt than may be; what is written by then stays.

    Example:
        >>> import tempfile
        >>> from PIL import Image
        >>> folder = Path(tempfile.mkdtemp())
        >>> for name in ("cat", "dog"):
        ...     (folder / "pets" / name).mkdir(parents=True)
        ...     Image.new("RGB", (640, 480)).save(folder / "pets" / name / "0.png")
        >>> prepare_shards(DataSettings(str(folder / "pets")), folder / "small")
        Prepared(images=2, shards=1, corrupt=())
    """
    shrink, out = shrink or ShrinkSettings(), expand_home(out)
    check_settings_of_preparation(data)
    if shard_size < 1:
        raise ValueError(f"shard_size must be at least 1 byte; got {shard_size}.")
    if workers is not None and workers < 1:
        raise ValueError(f"workers must be at least 1, or None for one a core; got {workers}.")
    opened, notes = _open_splits(data, splits)
    splits_to_write = {split.name: split for split in opened}
    if announce is not None:
        for note in notes:
            announce(note)
    rewrite = partial(_rewrite, shrink=shrink, max_megapixels=data.max_megapixels)
    plan = _read_or_make_plan(out, data, splits_to_write, shrink, shard_size, rewrite)
    total = sum(len(split.labels) for split in splits_to_write.values())
    corrupt: list[Corrupt] = []
    done = shards = 0
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        for name, split in splits_to_write.items():
            for rows, path in _shards(out, name, len(split.labels), plan[name]):
                if not path.exists():
                    allowed = data.max_corrupt - len(corrupt)
                    for count in _write_shard(split, rows, path, rewrite, pool, allowed):
                        if progress is not None:
                            progress(done + count, total)
                corrupt += _corrupt_in(path)
                done, shards = done + len(rows), shards + 1
                if progress is not None:
                    progress(done, total)
    return Prepared(total - len(corrupt), shards, tuple(corrupt))


@dataclass(frozen=True)
class _Split:
    """The files and labels of a split."""

    name: str
    images: Any
    """A ``datasets.Dataset`` of one column, of {"bytes", "path"}."""
    labels: list[int]
    classes: tuple[str, ...]

    @classmethod
    def of(cls, source: SplitSource, classes: tuple[str, ...]) -> "_Split":
        labels = read_labels(source.table, source.label_column, classes, source.name).tolist()
        column = source.image_column
        images = source.table.select_columns([column])
        images = images.cast_column(column, datasets.Image(decode=False))
        return cls(source.name, images, labels, classes)

    def entries(self, rows: slice) -> list[Entry]:
        return list(self.images[rows][self.images.column_names[0]])

    def read(self, row: int) -> bytes:
        return read_entry(self.entries(slice(row, row + 1))[0])

    @property
    def features(self) -> Any:
        names = list(self.classes)
        return datasets.Features(image=datasets.Image(), label=datasets.ClassLabel(names=names))


def _open_splits(
    data: DataSettings, splits: tuple[str, ...] | None
) -> tuple[list[_Split], tuple[str, ...]]:
    """The splits to write, and what a user should know of how they were read."""
    if splits is not None:
        written = [name.partition("[")[0] for name in splits]
        if not splits or len(set(written)) < len(written) or any("+" in name for name in splits):
            raise ValueError(f"splits must name at least one split, and each once; got {splits}.")
    sources, notes = open_splits(data, splits)
    classes = _common_classes(sources)
    found = [_Split.of(source, classes) for source in sources]
    return found, (*notes, *notes_on_depth(found[0].read, len(found[0].labels)))


def _common_classes(sources: Sequence[SplitSource]) -> tuple[str, ...]:
    """The classes of the split that has the most of them, which has those of the others too."""
    found = [read_classes(each.table, each.label_column, each.name) for each in sources]
    classes = max(found, key=len)
    if any(set(each) - set(classes) for each in found):
        raise ValueError(
            "The splits have different classes: "
            + "; ".join(
                f"{source.name} has {len(each)}"
                for source, each in zip(sources, found, strict=True)
            )
            + ". Name those that belong together with --splits."
        )
    return classes


def _read_or_make_plan(
    out: Path,
    data: DataSettings,
    splits: dict[str, _Split],
    shrink: ShrinkSettings,
    shard_size: int,
    rewrite: _Rewrite,
) -> dict[str, int]:
    """How many files each split gets; as before where some are written already."""
    settings = {
        "data": str(data.name),
        "columns": [data.image_column, data.label_column],
        **asdict(shrink),
        "shard_size": shard_size,
        "images": {name: len(split.labels) for name, split in splits.items()},
    }
    file = out / _PLAN_FILE
    if file.exists():
        before = json.loads(file.read_text())
        if before["settings"] != settings:
            changed = [key for key in settings if settings[key] != before["settings"].get(key)]
            raise ValueError(
                f"{out} was begun with another {' and '.join(changed)}. Take the same, or another "
                "directory."
            )
        return {str(name): int(count) for name, count in before["shards"].items()}
    if out.exists() and any(out.iterdir()):
        raise ValueError(f"{out} has other files in it. Take a new directory.")
    (out / "data").mkdir(parents=True)
    shards = {name: _count_shards(split, rewrite, shard_size) for name, split in splits.items()}
    write_text(file, json.dumps({"settings": settings, "shards": shards}, indent=2) + "\n")
    return shards


def _count_shards(split: _Split, rewrite: _Rewrite, shard_size: int) -> int:
    step = max(1, len(split.labels) // _SAMPLE)
    written = [rewrite(entry) for entry in split.entries(slice(None, None, step))]
    sizes = [len(each) for each in written if isinstance(each, bytes)]
    whole = len(split.labels) * sum(sizes) / max(1, len(sizes))
    return max(1, min(round(whole / shard_size), len(split.labels)))


def _shards(out: Path, split: str, images: int, count: int) -> Iterable[tuple[range, Path]]:
    for number in range(count):
        rows = range(number * images // count, (number + 1) * images // count)
        yield rows, out / "data" / f"{split}-{number:05d}-of-{count:05d}.parquet"


def _write_shard(
    split: _Split,
    rows: range,
    path: Path,
    rewrite: _Rewrite,
    pool: ThreadPoolExecutor,
    allowed: int,
) -> Iterable[int]:
    """Write a file; yields how many of its images are done.

    Raises:
        ValueError: More are corrupt than allowed; the file is not written then, so that images that
            are repaired get into it the next time.
    """
    corrupt: list[Corrupt] = []
    schema = split.features.arrow_schema
    with atomic_write(path) as file, pq.ParquetWriter(file, schema, compression="none") as writer:
        for start in range(rows.start, rows.stop, _AT_ONCE):
            some = range(start, min(start + _AT_ONCE, rows.stop))
            entries = split.entries(slice(some.start, some.stop))
            images, labels = [], []
            written = pool.map(rewrite, entries)
            for row, entry, content in zip(some, entries, written, strict=True):
                path_in_source = entry_path(entry)
                if isinstance(content, bytes):
                    stem = Path(path_in_source).stem or f"{row:08d}"
                    images.append({"bytes": content, "path": f"{stem}.jpg"})
                    labels.append(split.labels[row])
                else:
                    reason = content.reason
                    corrupt.append(Corrupt(split.name, row, path_in_source, reason))
            writer.write_table(pa.table({"image": images, "label": labels}, schema=schema))
            yield some.stop - rows.start
        if len(corrupt) > allowed:
            raise ValueError(_too_many(corrupt, allowed))
        record = json.dumps([list(each) for each in corrupt])
        writer.add_key_value_metadata({_CORRUPT_KEY.decode(): record})


def _corrupt_in(path: Path) -> list[Corrupt]:
    record = (pq.read_metadata(path).metadata or {}).get(_CORRUPT_KEY, b"[]")
    return [Corrupt(*each) for each in json.loads(record)]


def _too_many(corrupt: list[Corrupt], allowed: int) -> str:
    return (
        f"Images that cannot be read: {len(corrupt)}, where {max(allowed, 0)} may be left out. "
        "Repair or remove them, or raise --max-corrupt; files already written stay.\n"
        + list_corrupt(corrupt)
    )


def _rewrite(
    entry: Entry, shrink: ShrinkSettings, max_megapixels: int
) -> bytes | UnreadableImageError:
    """The file of an image anew, or why it cannot be."""
    try:
        return shrink_image(read_entry(entry), shrink, max_megapixels=max_megapixels)
    except UnreadableImageError as error:
        return error
