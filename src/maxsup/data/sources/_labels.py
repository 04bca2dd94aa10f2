"""Labels of a data set's column, as class indices with names."""

from typing import Any

import datasets
import torch
from torch import Tensor

from maxsup.data.sources._files import natural_order


def read_classes(dataset: Any, column: str) -> tuple[str, ...]:
    """The names of the classes: those of the column's type, else its sorted values.

    Raises:
        ValueError: The column cannot be a label.
    """
    kind = dataset.features[column]
    if isinstance(kind, datasets.ClassLabel):
        return tuple(kind.names)
    values = dataset.unique(column)
    if not values or not all(isinstance(value, int | str) for value in values):
        raise ValueError(
            f"label_column: {column!r} holds {type(values[0]).__name__ if values else 'nothing'}; "
            "labels must be integers or strings."
        )
    if all(isinstance(value, str) for value in values):
        return tuple(sorted(values, key=natural_order))
    return tuple(str(value) for value in sorted(values))


def read_labels(dataset: Any, column: str, classes: tuple[str, ...], split: str) -> Tensor:
    """A column's labels as indices into ``classes``, shape (N,), int64.

    Raises:
        ValueError: A label is none of the classes.
    """
    values = list(dataset[column])
    if isinstance(dataset.features[column], datasets.ClassLabel):
        for row, value in enumerate(values):
            if value is None or not 0 <= value < len(classes):
                hidden = (
                    " A label of -1 usually means that the labels of this split are not public; "
                    "name another one with --test-split."
                    if value == -1
                    else ""
                )
                raise ValueError(
                    f"Row {row} of split {split} has the label {value}, outside [0, "
                    f"{len(classes)}) for {len(classes)} classes.{hidden}"
                )
        return torch.tensor(values, dtype=torch.int64)
    index_of = {name: index for index, name in enumerate(classes)}
    for row, value in enumerate(values):
        if str(value) not in index_of:
            raise ValueError(
                f"Row {row} of split {split} has the label {value!r}, which no training sample has."
            )
    return torch.tensor([index_of[str(value)] for value in values], dtype=torch.int64)


def check_classes(labels: Tensor, classes: tuple[str, ...]) -> None:
    """See that there is something to tell apart, and something to learn it from.

    Raises:
        ValueError: There are fewer than two classes, or one has no training sample.
    """
    check_enough_classes(classes)
    counts = torch.bincount(labels, minlength=len(classes))
    empty = [classes[k] for k in (counts == 0).nonzero().flatten().tolist()]
    if empty:
        shown = ", ".join(empty[:10]) + (f" and {len(empty) - 10} more" if len(empty) > 10 else "")
        raise ValueError(
            f"{len(empty)} of {len(classes)} classes have no training sample: {shown}. Add "
            "samples, or remove these classes from the data."
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
