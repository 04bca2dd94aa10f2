"""Labels of a data set's column, as class indices with names.

Whatever the column's type, each row's label becomes the name of a class, and classes are told from
each other by their names: parts of a data set may number them in different orders.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import datasets
import torch
from torch import Tensor

from maxsup.data.sources._columns import describe_kind
from maxsup.data.sources._files import counted, natural_order

_WHOLE_NUMBER = re.compile(r"-?[0-9]+")
_LISTED = 10  # classes in a message


def read_classes(dataset: Any, column: str, split: str) -> tuple[str, ...]:
    """The names of the classes: those of the column's type, else its sorted values.

    Numbers are sorted as such, in names too.

    Args:
        dataset: A ``datasets.Dataset``.
        column: Its column of labels.
        split: The split's name, for messages.

    Raises:
        ValueError: The column cannot be a label, or a row has none; the message names it.
    """
    kind = dataset.features[column]
    if isinstance(kind, datasets.ClassLabel):
        return tuple(kind.names)
    return in_order(set(_names(dataset, column, split)))


def read_labels(dataset: Any, column: str, classes: tuple[str, ...], split: str) -> Tensor:
    """A column's labels as indices into ``classes``, shape (N,), int64.

    Raises:
        ValueError: A row has no label, or one that is none of the classes.
    """
    names = _names(dataset, column, split, classes)
    index_of = {name: index for index, name in enumerate(classes)}
    unknown = Counter(name for name in names if name not in index_of)
    if unknown:
        shown = [
            f"{name!r} ({counted(count, 'image')}, the first in row {names.index(name)})"
            for name, count in unknown.most_common(_LISTED)
        ]
        raise ValueError(
            f"Split {split} has {counted(len(unknown), 'class', 'classes')} that no training "
            f"image has: {_listed(shown, len(unknown))}. Add training images of them, or remove "
            "them."
        )
    return torch.tensor([index_of[name] for name in names], dtype=torch.int64)


class LabelReader:
    """Reads the labels of a column, one by one, as classes.

    Args:
        kind: The column's type, of ``datasets``.
        column: The column, for messages.
        classes: The names of the classes; needed for :meth:`index`.

    Example:
        >>> LabelReader(datasets.Value("float32"), "label").name(3.0)
        '3'
        >>> LabelReader(datasets.List(datasets.Value("int64")), "label").name([0, 0, 1])
        '2'
        >>> names = datasets.ClassLabel(names=["dog", "cat"])
        >>> LabelReader(names, "label", ("cat", "dog")).index(0)
        1
    """

    def __init__(self, kind: Any, column: str, classes: Sequence[str] = ()) -> None:
        if _is_numbers(kind) and not any(_WHOLE_NUMBER.fullmatch(name) for name in classes):
            # Numbers without the names that the training part has for them.
            kind = datasets.ClassLabel(names=list(classes)) if classes else kind
        self._kind, self._column = kind, column
        self._classes = {name: index for index, name in enumerate(classes)}
        self._width: int | None = None
        self._known: dict[Any, str] = {}  # each name once: those of a million rows take memory

    def name(self, value: Any) -> str:
        """The class that a label names.

        Raises:
            ValueError: It names none; the message lacks its subject, which is a row.
        """
        if is_list_kind(self._kind):
            return self._name_of_one_hot(value)
        if not isinstance(value, Hashable):  # an image or a struct, which is no label
            return self._name(value)
        if value not in self._known:
            self._known[value] = self._name(value)
        return self._known[value]

    def index(self, value: Any) -> int:
        """The index of the class that a label names.

        Raises:
            ValueError: It names none, or one that is not among the classes; the message lacks its
                subject, which is a row.
        """
        name = self.name(value)
        if name not in self._classes:
            raise ValueError(
                f"has the label {name!r}, which is none of the {len(self._classes)} classes of the "
                "training images"
            )
        return self._classes[name]

    def is_missing(self, value: Any) -> bool:
        """Whether there is no label."""
        return value is None or value != value or value == ""

    def _name(self, value: Any) -> str:
        if self.is_missing(value):
            raise ValueError(f"has no label in the column {self._said}; give it one, or remove it")
        if isinstance(self._kind, datasets.ClassLabel):
            return self._name_of_number(value)
        if isinstance(value, float) and value.is_integer():
            return str(int(value))
        if isinstance(value, bool | int | str):
            return str(value)
        raise ValueError(
            f"has the label {value!r} in the column {self._said}; labels must be names or whole "
            "numbers"
        )

    def _name_of_number(self, value: int) -> str:
        names: list[str] = self._kind.names
        if 0 <= value < len(names):
            return names[value]
        hidden = (
            ". A label of -1 usually means that the labels of this split are not public; name "
            "another one with --test-split"
            if value == -1
            else ""
        )
        raise ValueError(
            f"has the label {value}, outside [0, {len(names)}) for {len(names)} classes{hidden}"
        )

    def _name_of_one_hot(self, value: Any) -> str:
        self._width = self._width or len(value or ())
        ones = [index for index, each in enumerate(value or ()) if each == 1]
        zeros = sum(each == 0 for each in value or ())
        if len(ones) == 1 and zeros == self._width - 1 > 0 and len(value) == self._width:
            return str(ones[0])
        shown = f"{value[:_LISTED]}…" if len(value or ()) > _LISTED else str(value)
        raise ValueError(
            f"has {shown} in the column {self._said}, and one label per image is needed. Name "
            "another column with --label-column, or keep the images that have one label and write "
            "it as a name or a number; lists are read where each is a single 1 among zeros"
        )

    @property
    def _said(self) -> str:
        return f"{self._column} ({describe_kind(self._kind)})"


def in_order(names: set[str]) -> tuple[str, ...]:
    """Names of classes, sorted, the numbers in them by their value.

    >>> in_order({"10", "2", "-1", "01", "1"}), in_order({"b10", "b9", "a"})
    (('-1', '01', '1', '2', '10'), ('a', 'b9', 'b10'))
    """
    if all(_WHOLE_NUMBER.fullmatch(name) for name in names):
        return tuple(sorted(names, key=lambda name: (int(name), name)))
    return tuple(sorted(names, key=natural_order))


def check_classes(
    labels: Tensor, classes: tuple[str, ...], others: Mapping[str, Tensor] | None = None
) -> None:
    """See that there is something to tell apart, and something to learn it from.

    Args:
        labels: Those to train on.
        classes: The names of the classes.
        others: The labels of splits to measure on, by their names.

    Raises:
        ValueError: There are fewer than two classes, or one has no training sample.
    """
    check_enough_classes(classes)
    counts = torch.bincount(labels, minlength=len(classes))
    empty = (counts == 0).nonzero().flatten().tolist()
    if empty:
        shown = []
        for label in empty[:_LISTED]:
            found = {name: int((each == label).sum()) for name, each in (others or {}).items()}
            places = [f"{count:,} in split {name}" for name, count in found.items() if count]
            shown.append(classes[label] + (f" ({', '.join(places)})" if places else ""))
        raise ValueError(
            f"{len(empty)} of {len(classes)} classes have no training sample: "
            f"{_listed(shown, len(empty))}. Add samples, or remove these classes from the data."
        )


def check_enough_classes(classes: tuple[str, ...]) -> None:
    """See that there is something to tell apart.

    Raises:
        ValueError: There are fewer than two classes.
    """
    if len(classes) < 2:
        raise ValueError(
            f"The data has one class, {classes[0]!r}: there is nothing to tell apart."
            if classes
            else "The data has no classes."
        )


def notes_on_labels(kind: Any, column: str, classes: tuple[str, ...]) -> list[str]:
    """What a user should know of how labels were read, in sentences.

    Args:
        kind: The type of the column of labels, of ``datasets``.
        column: The column.
        classes: The names of the classes.
    """
    meaning = ": of each list, the index of its single 1" if is_list_kind(kind) else ""
    notes = [f"Labels are those of the column {column}{meaning}."]
    by_likeness: dict[str, list[str]] = defaultdict(list)
    for name in classes:
        by_likeness[" ".join(re.split(r"[\W_]+", name.casefold())).strip()].append(name)
    alike = [names for likeness, names in by_likeness.items() if likeness and len(names) > 1]
    if alike:
        shown = [" and ".join(map(repr, names)) for names in alike[:_LISTED]]
        notes.append(
            "Classes whose names differ in capitals, spaces or punctuation alone are classes of "
            f"their own: {_listed(shown, len(alike))}."
        )
    return notes


def notes_on_classes_missing(measured: Mapping[str, Tensor], classes: tuple[str, ...]) -> list[str]:
    """Which classes cannot be measured, in sentences.

    Args:
        measured: The labels that are measured on, by what they are for.
        classes: The names of the classes.
    """
    notes = []
    for what, labels in measured.items():
        counts = torch.bincount(labels, minlength=len(classes))
        missing = [classes[label] for label in (counts == 0).nonzero().flatten().tolist()]
        if missing:
            notes.append(
                f"The {what} set has no image of {counted(len(missing), 'class', 'classes')}: "
                f"{_listed(missing[:_LISTED], len(missing))}."
            )
    return notes


def _names(dataset: Any, column: str, split: str, classes: tuple[str, ...] = ()) -> list[str]:
    """The class of each row."""
    reader = LabelReader(dataset.features[column], column, classes)
    values, names = list(dataset[column]), []
    for row, value in enumerate(values):
        try:
            names.append(reader.name(value))
        except ValueError as error:
            more = ""
            if reader.is_missing(value) and any(map(reader.is_missing, values[row + 1 :])):
                alike = sum(map(reader.is_missing, values[row + 1 :]))
                more = f" The same goes for {counted(alike, 'row')} after it."
            raise ValueError(f"Row {row} of split {split} {error}.{more}") from error
    return names


def _is_numbers(kind: Any) -> bool:
    return isinstance(kind, datasets.Value) and "int" in kind.dtype


def is_list_kind(kind: Any) -> bool:
    """Whether a column holds a list in each row."""
    return isinstance(kind, datasets.List | datasets.LargeList)


def _listed(shown: Sequence[str], count: int) -> str:
    more = f" and {count - len(shown):,} more" if count > len(shown) else ""
    return ", ".join(shown) + more
