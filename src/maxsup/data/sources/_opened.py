"""A data set whose splits are known and not yet loaded."""

import re
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import datasets
import pyarrow as pa

Table = Any
"""A ``datasets.Dataset``, or ``IterableDataset`` where it is streamed."""


@dataclass(frozen=True)
class OpenedData:
    """A data set whose splits are known and not yet loaded."""

    splits: tuple[str, ...]
    """The names of its splits; ``train``, ``validation`` and ``test`` where a folder or file is
    called something like that."""
    load: Callable[[Collection[str]], Mapping[str, Table]]
    """Loads whole splits by their names."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """What else splits are called: the names of their folders."""
    notes: tuple[str, ...] = ()
    """What a user should know of how the data was read, in sentences."""
    identity: Callable[[str], str] | None = None
    """What tells the contents of a split from others, where they are files on this machine."""
    missing: Callable[[str, str], list[str]] = lambda split, column: []
    """Where it is written down that rows of a split have nothing in a column: lines of a file."""


@dataclass(frozen=True)
class ImageRows:
    """Image files with what is known of each, as the rows of a split."""

    paths: Sequence[str]
    columns: Mapping[str, Sequence[Any]]
    """By name, as many values as there are paths."""
    features: Mapping[str, Any]
    """The kinds of the columns, as ``datasets`` has them."""

    def table(self, split: str, *, streaming: bool) -> Table:
        """The rows with a column ``image``, of undecoded files, before the others.

        Args:
            split: The split's name.
            streaming: Whether the files are read in the order of a stream.
        """
        kinds = datasets.Features({"image": datasets.Image(decode=False), **self.features})
        if not re.fullmatch(r"\w+(\.\w+)*", split):
            split = "other"  # folders may be called as no split is in there
        if streaming:
            return self._stream(split, kinds)
        paths = pa.array(self.paths, pa.string())
        nothing = pa.nulls(len(self.paths), pa.binary())
        image = pa.StructArray.from_arrays([nothing, paths], ["bytes", "path"])
        schema = kinds.arrow_schema
        others = [
            pa.array(values, schema.field(name).type) for name, values in self.columns.items()
        ]
        return datasets.Dataset(
            pa.Table.from_arrays([image, *others], schema=schema),
            info=datasets.DatasetInfo(features=kinds),
            split=datasets.NamedSplit(split),
            # Else all of the table is hashed, to find what was made of it before; nothing was.
            fingerprint=uuid.uuid4().hex,
        )

    def _stream(self, split: str, kinds: Any) -> Table:
        # Each file is a shard of its own, so that all of them are shuffled and not only neighbours.
        stream = datasets.IterableDataset.from_generator(
            _generate,
            features=kinds,
            gen_kwargs={
                "paths": list(self.paths),
                "rows": list(zip(*self.columns.values(), strict=True)),
                "names": tuple(self.columns),
            },
            split=datasets.NamedSplit(split),
        )
        described = datasets.splits.SplitInfo(split, num_examples=len(self.paths))
        stream.info.splits = datasets.splits.SplitDict({split: described})
        return stream


def _generate(
    paths: list[str], rows: list[tuple[Any, ...]], names: tuple[str, ...]
) -> Iterator[dict[str, Any]]:
    for path, row in zip(paths, rows, strict=True):
        yield {"image": {"bytes": None, "path": path}, **dict(zip(names, row, strict=True))}
