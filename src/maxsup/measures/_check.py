"""The checks that the measures share."""

import torch
from torch import Tensor


def check_rows(name: str, rows: Tensor, columns: int | None = None) -> None:
    """Rows of numbers: a floating-point tensor of shape (N, ``columns``), or (N, 1 or more).

    Raises:
        ValueError: It is something else.
    """
    if not isinstance(rows, Tensor) or not rows.is_floating_point():
        came = rows.dtype if isinstance(rows, Tensor) else type(rows).__name__
        raise ValueError(f"{name} must be a floating-point tensor; got {came}.")
    if rows.dim() != 2 or rows.shape[1] == 0 or columns not in (None, rows.shape[1]):
        expected = "D), D >= 1" if columns is None else f"{columns})"
        raise ValueError(f"{name} must have shape (N, {expected}; got {tuple(rows.shape)}.")


def check_labels(labels: Tensor, samples: int, num_classes: int) -> None:
    """Class indices: an integer tensor of shape (``samples``,) in [0, ``num_classes``).

    Values are looked at on the CPU; elsewhere an assertion on the device does it without waiting.

    Raises:
        ValueError: It is something else.
    """
    if (
        not isinstance(labels, Tensor)
        or labels.is_floating_point()
        or labels.is_complex()
        or labels.dtype == torch.bool
    ):
        came = labels.dtype if isinstance(labels, Tensor) else type(labels).__name__
        raise ValueError(f"labels must be a tensor of integers, the class indices; got {came}.")
    if tuple(labels.shape) != (samples,):
        raise ValueError(
            f"labels must have one class index for each sample, shape ({samples},); "
            f"got {tuple(labels.shape)}."
        )
    in_range = (labels >= 0) & (labels < num_classes)
    if labels.device.type != "cpu":
        torch._assert_async(in_range.all(), f"labels must lie in [0, {num_classes}).")
    elif not in_range.all():
        wrong = labels[~in_range]
        raise ValueError(
            f"labels holds {int(wrong[0])}, outside [0, {num_classes}) for {num_classes} classes; "
            f"{len(wrong)} of {samples} labels are so. Leave ignored samples out beforehand."
        )


def number_of_classes(labels: Tensor) -> int:
    """The largest label + 1, at least 1: the number of classes where none is given.

    Example:
        >>> number_of_classes(torch.tensor([0, 4]))
        5
    """
    if not isinstance(labels, Tensor) or not labels.numel():
        return 1  # what labels may be is checked elsewhere
    return max(int(labels.max()), 0) + 1


def check_at_least(name: str, value: int, smallest: int) -> None:
    """A whole number that is not too small.

    Raises:
        ValueError: It is something else.
    """
    if not isinstance(value, int) or value < smallest:
        raise ValueError(f"{name} must be a whole number, {smallest} or more; got {value!r}.")
