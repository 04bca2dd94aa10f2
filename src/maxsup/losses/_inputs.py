"""What every objective accepts, checked and brought into one form."""

from typing import NamedTuple

import torch
from torch import Tensor

from maxsup.losses._plain_numbers import check_ignore_index
from maxsup.losses._torch_private import is_recorded, may_be_wrapped

REDUCTIONS = ("none", "sum", "mean")


class Inputs(NamedTuple):
    """Logits and target in the form that the objectives compute with.

    The class axis is axis 1 and there is at least one position, so ``logits`` is (N, K, ...) and a
    per-example value is (N, ...).
    """

    logits: Tensor  # as they came; 0 at ignored positions, unless these are left for later
    labels: Tensor | None  # (N, ...) int64, a valid class even at ignored positions
    probabilities: Tensor | None  # (N, K, ...), where the target is not an index
    kept: Tensor | None  # (N, ...) bool, False at ignored positions; None when none is ignored
    class_weight: Tensor | None  # (K, 1, ...), ready to broadcast against the logits
    single: bool  # the caller gave one example without a batch axis

    def widened(self) -> "Inputs":
        """With logits in float32 at least.

        For objectives that send two gradients to the logits: these are added before they are
        rounded to the logits' own precision.
        """
        return self._replace(logits=wide(self.logits))

    def masked(self) -> "Inputs":
        """With 0 for the logits of ignored positions.

        Not only for the value: a NaN there must not reach the gradient either.
        """
        if self.kept is None:
            return self
        return self._replace(logits=torch.where(self.kept.unsqueeze(1), self.logits, 0.0))


def read_inputs(
    logits: Tensor,
    target: Tensor,
    weight: Tensor | None,
    ignore_index: int | None,
    reduction: str,
    *,
    mask_logits: bool = True,
) -> Inputs:
    """Check the arguments common to all objectives and bring them into one form.

    Labels are looked at only where that costs no waiting: on the CPU, outside of compiled and
    vectorised code. Elsewhere a label out of range trips the device-side assertion of ``gather``.

    Args:
        logits: As the caller of an objective gave them, as are the others.
        target: Class indices or probabilities.
        weight: Class weights.
        ignore_index: The label of ignored positions; None where none are.
        reduction: ``none``, ``sum`` or ``mean``.
        mask_logits: Put 0 at ignored positions. False where what is computed next masks them.

    Raises:
        ValueError: A shape, dtype, label, or name is not as described in the message.
    """
    check_reduction(reduction)
    ignore_index = check_ignore_index(ignore_index)
    _check_logits(logits)
    num_classes = logits.shape[0] if logits.dim() == 1 else logits.shape[1]
    _check_target(logits, target)
    check_weight(weight, num_classes)

    single = logits.dim() == 1
    if single:
        logits, target = logits.unsqueeze(0), target.unsqueeze(0)
    dtype = wide_dtype(logits)

    if target.is_floating_point():
        _check_nothing_to_ignore(ignore_index)
        labels, probabilities, kept = None, target.to(dtype), None
    else:
        labels, kept = _read_labels(target.long(), num_classes, ignore_index)
        probabilities = None
    if weight is not None:
        weight = weight.to(dtype).reshape(-1, *[1] * (logits.dim() - 2))

    inputs = Inputs(logits, labels, probabilities, kept, weight, single=single)
    return inputs.masked() if mask_logits else inputs


def check_reduction(reduction: str) -> None:
    """See that a reduction is one of the three.

    Raises:
        ValueError: It is none of them.
    """
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction must be one of {', '.join(REDUCTIONS)}; got {reduction!r}.")


def is_ordinary(tensor: Tensor) -> bool:
    """Whether a tensor holds values of its own, and operations on it are done as they are called.

    They are not where a compiler, a tracer, a transform or a mode such as ``FakeTensorMode`` is at
    work, nor on subclasses of tensors that bring operations of their own.
    """
    return (
        not torch.compiler.is_compiling()
        and type(tensor).__torch_dispatch__ is Tensor.__torch_dispatch__
        and not is_recorded()
        and not may_be_wrapped(tensor)
    )


def values_can_be_seen(tensor: Tensor) -> bool:
    """Whether Python may look at a tensor's values without making a device wait."""
    return tensor.device.type == "cpu" and is_ordinary(tensor)


def wide_dtype(tensor: Tensor) -> torch.dtype:
    """The precision to compute in: float32, or float64 for such a tensor."""
    return torch.float64 if tensor.dtype == torch.float64 else torch.float32


def wide(tensor: Tensor) -> Tensor:
    """The tensor in float32 at least."""
    return tensor.to(wide_dtype(tensor))


def _check_logits(logits: Tensor) -> None:
    if not isinstance(logits, Tensor) or not logits.is_floating_point():
        came = logits.dtype if isinstance(logits, Tensor) else type(logits).__name__
        raise ValueError(f"logits must be a floating-point tensor; got {came}.")
    if logits.dim() == 0 or logits.shape[min(1, logits.dim() - 1)] == 0:
        raise ValueError(
            "logits must have shape (N, K), (N, K, d1, ...) or (K,) with K >= 1 classes; "
            f"got {tuple(logits.shape)}."
        )


def _check_target(logits: Tensor, target: Tensor) -> None:
    if not isinstance(target, Tensor):
        raise ValueError(
            f"target must be a tensor; got {type(target).__name__}. Write torch.as_tensor(target)."
        )
    shape = tuple(logits.shape)
    index_shape = shape[:1] + shape[2:] if len(shape) > 1 else ()
    if target.is_floating_point():
        if tuple(target.shape) != shape:
            raise ValueError(
                f"target holds probabilities ({target.dtype}), so its shape must be that of the "
                f"logits, {shape}; got {tuple(target.shape)}. Class indices must be integers."
            )
    elif target.dtype == torch.bool or target.is_complex():
        raise ValueError(
            "target must hold class indices (an integer dtype) or probabilities (a floating "
            f"dtype); got {target.dtype}."
        )
    elif tuple(target.shape) != index_shape:
        raise ValueError(
            f"target holds class indices, so its shape must be {index_shape} for logits of shape "
            f"{shape}; got {tuple(target.shape)}.{_hint(shape, tuple(target.shape))}"
        )


def _hint(shape: tuple[int, ...], target_shape: tuple[int, ...]) -> str:
    """How logits and class indices of these shapes were probably meant."""
    if target_shape == shape:
        return " A one-hot target must be floating-point."
    if len(shape) > 2 and target_shape == shape[:-1]:
        turned = "transpose(1, 2)" if len(shape) == 3 else "movedim(-1, 1)"
        return (
            " Classes stand on axis 1; where they are on the last, give "
            f"logits.flatten(0, {len(shape) - 2}) and target.flatten(), or logits.{turned}."
        )
    if len(shape) > 1 and target_shape == (shape[0], 1, *shape[2:]):
        return " Give target.squeeze(1)."
    return ""


def check_weight_kind(weight: Tensor | None) -> None:
    """See that class weights are numbers in a tensor.

    Raises:
        ValueError: They are something else.
    """
    if weight is not None and not (isinstance(weight, Tensor) and weight.is_floating_point()):
        came = weight.dtype if isinstance(weight, Tensor) else type(weight).__name__
        raise ValueError(
            f"weight must be a floating-point tensor; got {came}. Write "
            "torch.as_tensor(weight, dtype=torch.float32)."
        )


def check_weight(weight: Tensor | None, num_classes: int) -> None:
    check_weight_kind(weight)
    if weight is not None and tuple(weight.shape) != (num_classes,):
        raise ValueError(
            f"weight must have one entry per class, shape ({num_classes},); "
            f"got {tuple(weight.shape)}."
        )


def _read_labels(
    target: Tensor, num_classes: int, ignore_index: int | None
) -> tuple[Tensor, Tensor | None]:
    """Labels that are safe to gather with, and where they count."""
    if values_can_be_seen(target):
        low, high = map(int, target.aminmax()) if target.numel() > 0 else (0, 0)
        in_range = low >= 0 and high < num_classes
        if in_range and (ignore_index is None or not low <= ignore_index <= high):
            return target, None
        if not in_range:
            counted = target if ignore_index is None else target[target != ignore_index]
            _check_label_range(counted, num_classes, ignore_index)
    if ignore_index is None:
        return target, None
    kept = target != ignore_index
    return torch.where(kept, target, 0), kept


def _check_label_range(labels: Tensor, num_classes: int, ignore_index: int | None) -> None:
    wrong = labels[(labels < 0) | (labels >= num_classes)]
    if wrong.numel() > 0:
        raise ValueError(
            f"target holds the label {int(wrong[0])}, outside [0, {num_classes}) for "
            f"{num_classes} classes and not equal to ignore_index ({ignore_index}); "
            f"{wrong.numel()} of {labels.numel()} labels are so."
        )


def _check_nothing_to_ignore(ignore_index: int | None) -> None:
    # The default says nothing, and neither does any other label that no class can have.
    if ignore_index is not None and ignore_index >= 0:
        raise ValueError(
            f"ignore_index is {ignore_index}, but target holds probabilities, among which no "
            "position has a label; leave it out, and ignore positions by masking the values of "
            'reduction="none".'
        )
