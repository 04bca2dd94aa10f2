"""Figures of a run for each of its epochs; needs numpy alone."""

from collections.abc import Mapping, Sequence

import numpy as np

from maxsup.data.predictions._arrays import Array, as_array

KNOWN = ("train_loss", "train_accuracy", "validation_accuracy", "test_accuracy", "test_nll")
"""The figures that are drawn, or looked at for a training that had not finished."""

History = Mapping[str, object] | Sequence[Mapping[str, object]]
"""Columns by name, or a row for each epoch."""


def columns_of(what: str, history: History) -> dict[str, Array]:
    """The figures as a column of (E,) float64 each, in the order of the epochs.

    Args:
        what: What they are called in a message.
        history: Numbers by name, one an epoch: a list for each name, or a mapping for each epoch.
            ``epoch``, counted from 1, may be among them.

    Raises:
        ValueError: Columns differ in length, something is no number, or an accuracy is no fraction.

    Example:
        >>> columns_of("mine", [{"epoch": 2, "test_nll": 0.5}, {"epoch": 1, "test_nll": 0.7}])
        {'test_nll': array([0.7, 0.5])}
    """
    if not isinstance(history, Mapping):
        names = dict.fromkeys(name for row in history for name in row)
        history = {
            name: [np.nan if row.get(name) is None else row[name] for row in history]
            for name in names
        }
    found = {str(name): _column(f"{what}: {name}", each) for name, each in history.items()}
    lengths = {name: len(each) for name, each in found.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"{what}: the figures must have a value for each epoch; got {lengths}.")
    for name, each in found.items():
        if name.endswith("accuracy") and (each > 1).any():
            raise ValueError(
                f"{what}: {name} must be a fraction in [0, 1]; got {np.nanmax(each):g}. Divide per "
                "cents by 100."
            )
    if "epoch" not in found:
        return found
    epochs = found.pop("epoch")
    order = epochs.argsort()
    if not np.array_equal(epochs[order], np.arange(1, len(epochs) + 1)):
        raise ValueError(
            f"{what}: epoch must count 1, 2, …, {len(epochs)}, each once; got "
            f"{', '.join(f'{epoch:g}' for epoch in epochs[:5])}, …"
        )
    return {name: each[order] for name, each in found.items()}


def _column(name: str, values: object) -> Array:
    found = as_array(name, values)
    if found.ndim != 1 or found.dtype.kind not in "iuf":
        raise ValueError(
            f"{name} must be numbers, one for each epoch; got {found.dtype} of shape {found.shape}."
        )
    return found.astype(np.float64)


def rows_of(columns: Mapping[str, Array]) -> list[dict[str, float]]:
    """A row for each epoch, counted from 1.

    >>> rows_of({"test_nll": np.array([0.7, 0.5])})
    [{'epoch': 1, 'test_nll': 0.7}, {'epoch': 2, 'test_nll': 0.5}]
    """
    count = len(next(iter(columns.values()))) if columns else 0
    return [
        {"epoch": epoch + 1} | {name: float(values[epoch]) for name, values in columns.items()}
        for epoch in range(count)
    ]
