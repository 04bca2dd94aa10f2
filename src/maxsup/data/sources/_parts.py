"""Splits and parts of splits, as ``train``, ``train[:1000]`` or ``train[:10%]+test``."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import datasets

from maxsup.data.sources._opened import OpenedData, Table


class Stretch(NamedTuple):
    """Some rows of a split, one after the other."""

    split: str
    start: int
    stop: int


def split_names(argument: str, text: str, opened: OpenedData) -> tuple[str, ...]:
    """The splits that parts are taken of.

    Raises:
        ValueError: One is not there; the message lists those that are.
    """
    return tuple(_known(argument, part, opened) for part in _summands(text))


def canonical(argument: str, text: str, opened: OpenedData) -> str:
    """The text with each split by the name that it has here: ``Test[:5]`` becomes ``test[:5]``.

    Raises:
        ValueError: A split is not there.
    """
    parts = [
        _known(argument, part, opened) + "".join(part.partition("[")[1:])
        for part in _summands(text)
    ]
    return "+".join(parts)


def stretches(argument: str, text: str, sizes: Mapping[str, int]) -> list[Stretch]:
    """The rows that a text means.

    Args:
        argument: What names it, for messages.
        text: Splits or parts of splits, as ``datasets`` writes them.
        sizes: How many rows each split has.

    Raises:
        ValueError: It is no such text, or means no rows.

    Example:
        >>> stretches("train_split", "train[10%:]+test[:2]", {"train": 50, "test": 10})
        [Stretch(split='train', start=5, stop=50), Stretch(split='test', start=0, stop=2)]
    """
    found = []
    for part in _summands(text):
        name, bracket, _ = part.partition("[")
        if not bracket:
            found.append(Stretch(name, 0, sizes[name]))
            continue
        try:
            # Under a name that its pattern allows, whatever the folder is called.
            read = datasets.ReadInstruction.from_spec("split" + part.removeprefix(name))
            (rows,) = read.to_absolute({"split": sizes[name]})
        except (ValueError, AssertionError) as error:
            raise ValueError(
                f"{argument}: {part!r} is no part of a split; write {name}[:1000], {name}[80%:] or "
                f"{name}[100:200]."
            ) from error
        found.append(Stretch(name, rows.from_, rows.to))
    empty = all(stretch.start >= stretch.stop for stretch in found)
    if empty:
        raise ValueError(
            f"{argument}: {text!r} holds no rows; "
            + ", ".join(f"{each.split} has {sizes[each.split]:,}" for each in found)
            + "."
        )
    return found


def take(tables: Mapping[str, Table], parts: Sequence[Stretch]) -> Table:
    """The rows of loaded splits."""
    taken = [
        table
        if (stretch.start, stretch.stop) == (0, len(table))
        else table.select(range(stretch.start, stretch.stop))
        for stretch in parts
        if stretch.start < stretch.stop
        for table in [tables[stretch.split]]
    ]
    return taken[0] if len(taken) == 1 else datasets.concatenate_datasets(taken)


def shared_rows(first: Sequence[Stretch], second: Sequence[Stretch]) -> int:
    """How many rows two parts have in common.

    >>> shared_rows([Stretch("train", 0, 50)], [Stretch("train", 40, 60), Stretch("test", 0, 9)])
    10
    """
    return sum(
        max(0, min(a.stop, b.stop) - max(a.start, b.start))
        for a in first
        for b in second
        if a.split == b.split
    )


def is_whole(text: str) -> bool:
    """Whether a text names one split, and no part of it."""
    return "[" not in text and "+" not in text


def _summands(text: str) -> list[str]:
    return [part.strip() for part in text.split("+")]


def _known(argument: str, part: str, opened: OpenedData) -> str:
    name = part.partition("[")[0].strip()
    if name in opened.splits:
        return name
    if name in opened.aliases:
        return opened.aliases[name]
    raise ValueError(
        f"{argument}: there is no split called {part!r}; there are {', '.join(opened.splits)}."
    )


def sizes_of(tables: Mapping[str, Any]) -> dict[str, int]:
    """How many rows each loaded split has."""
    return {name: len(table) for name, table in tables.items()}
