import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, distributed

from maxsup.losses._coefficient import Coefficient
from maxsup.losses._inputs import Inputs, read_inputs, wide_dtype
from maxsup.losses._loss import Loss
from maxsup.losses._method import Method
from maxsup.losses._plain_numbers import check_size
from maxsup.losses._reduction import reduce
from maxsup.losses._smoothed_target import warn_of_smoothed_target
from maxsup.losses.numbers import numbers

_ALPHA = Coefficient("alpha", 0.5, highest=1.0)


def online_label_smoothing_loss(
    logits: Tensor,
    target: Tensor,
    soft_labels: Tensor,
    alpha: float | Tensor = 0.5,
    weight: Tensor | None = None,
    ignore_index: int | None = -100,
    reduction: str = "mean",
) -> Tensor:
    """(1 − α)·CE(t) + α·CE(S[t]): online label smoothing (Zhang et al. 2021).

    S[k], row k of the soft labels, is the target that stands beside class k: the mean prediction
    for it in the epoch before. Under probabilities as target it is Σ_k t_k·S[k].

    Args:
        logits: Shape (N, K), (N, K, d1, ...) or (K,), any floating dtype; computed in float32 at
            least. A class whose logit is −inf is not available.
        target: Class indices or probabilities; see :func:`cross_entropy_loss`.
        soft_labels: S, shape (K, K), floating; a row of zeros leaves the soft part out.
        alpha: Coefficient of the soft part, a number in [0, 1] or a 0-dimensional tensor (not
            checked).
        weight: Class weights, shape (K,). A sample's whole loss is multiplied by Σ_k t_k·w_k, and
            ``mean`` divides by the sum of these.
        ignore_index: Positions with this label give value and gradient 0 and count in no mean.
        reduction: ``none``, ``sum`` or ``mean``.

    Returns:
        0-dimensional, or one value per position for ``none``; float32, or float64 for such logits.

    Raises:
        ValueError: An argument's shape, dtype, label, name or range is not as described.

    Example:
        >>> logits, target = torch.zeros(1, 4), torch.tensor([0])
        >>> online_label_smoothing_loss(logits, target, torch.zeros(4, 4))  # half of log 4
        tensor(0.6931)
    """
    alpha = _ALPHA.check(alpha)
    warn_of_smoothed_target(target, alpha)
    inputs = read_inputs(logits, target, weight, ignore_index, reduction)
    _check_soft_labels(soft_labels, inputs.logits.shape[1])
    return reduce(_mixed(inputs, soft_labels, 1 - alpha, alpha), inputs, reduction)


def _check_soft_labels(soft_labels: Tensor, num_classes: int) -> None:
    if tuple(soft_labels.shape) != (num_classes, num_classes):
        raise ValueError(
            f"soft_labels must have one row and one column per class, shape "
            f"({num_classes}, {num_classes}); got {tuple(soft_labels.shape)}."
        )


def _mixed(
    inputs: Inputs, soft_labels: Tensor, hard: float | Tensor, soft: float | Tensor
) -> Tensor:
    """hard·CE(t) + soft·CE(S[t]) per example, as one cross-entropy against hard·t + soft·S[t]."""
    if inputs.labels is not None:
        rows = soft_labels.to(wide_dtype(inputs.logits))[inputs.labels]
        beside = rows.movedim(-1, 1)
        target = soft * beside
        target = target.scatter_add(
            1, inputs.labels.unsqueeze(1), torch.ones_like(target[:, :1]) * hard
        )
    else:
        assert inputs.probabilities is not None
        soft_labels = soft_labels.to(wide_dtype(inputs.logits))
        if inputs.probabilities.requires_grad:
            # The gradient needs them as they are now, and they may be changed before it is asked.
            soft_labels = soft_labels.clone()
        with _full_precision(inputs.logits.device.type):
            mixed = inputs.probabilities.movedim(1, -1) @ soft_labels
        target = hard * inputs.probabilities + soft * mixed.movedim(-1, 1)
    (true,) = numbers(inputs._replace(labels=None, probabilities=target), "true")
    return -true


def _full_precision(device: str) -> contextlib.AbstractContextManager[object]:
    """Keep autocast from a matrix product."""
    if torch.amp.is_autocast_available(device):
        return torch.autocast(device, enabled=False)
    return contextlib.nullcontext()


@dataclass(frozen=True)
class _Variant:
    hard: float
    soft: float
    starts_uniform: bool
    frozen_from: float
    """A row whose largest entry has reached this is not replaced any more."""


_VARIANTS = {
    "cifar": _Variant(hard=0.5, soft=0.5, starts_uniform=False, frozen_from=float("inf")),
    "fine-grained": _Variant(hard=1.0, soft=1.0, starts_uniform=True, frozen_from=0.88),
}
VARIANT = Coefficient("variant", "cifar", choices=tuple(_VARIANTS))


class OnlineLabelSmoothingLoss(Loss):
    """Online label smoothing: soft labels learned from the model's own right answers.

    In training mode with gradients enabled it adds up the predictions for every class, of correctly
    predicted samples alone; :meth:`end_epoch` turns the sums into the soft labels of the next
    epoch. Evaluate with ``criterion.eval()`` or under ``torch.no_grad()``, which count nothing.

    Two variants were published (Zhang et al. 2021), each with its script:

    - ``cifar``: ½·CE + ½·CE(S), S starts at zero, so the first epoch has no soft part.
    - ``fine-grained``: CE + CE(S), S starts at 1/K, and a row that has reached 0.88 is kept.

    In both a class without a right answer in an epoch gets 1/K. With probabilities as target a
    sample counts for the first of its most probable classes.

    The sums are part of the ``state_dict``. With several processes each holds its own part until
    ``end_epoch`` adds them up; save at the end of an epoch.

    Args:
        num_classes: K. Soft labels and sums take 8·K² bytes.
        variant: ``cifar`` or ``fine-grained``.
        weight: Class weights, shape (K,).
        ignore_index: Positions with this label give value and gradient 0 and count nowhere.
        reduction: ``none``, ``sum`` or ``mean``.

    Raises:
        ValueError: There is no such variant, or fewer than one class.

    Example:
        >>> criterion = OnlineLabelSmoothingLoss(num_classes=2)
        >>> logits = torch.tensor([[1.0, 0.0], [0.0, 2.0]], requires_grad=True)
        >>> _ = criterion(logits, torch.tensor([0, 0]))  # the first is right
        >>> criterion.end_epoch()
        >>> criterion.soft_labels
        tensor([[0.7311, 0.2689],
                [0.5000, 0.5000]])
    """

    soft_labels: Tensor
    sums: Tensor
    correct: Tensor
    learned = ("soft_labels", "sums", "correct")

    def __init__(
        self,
        num_classes: int,
        variant: str = "cifar",
        *,
        weight: Tensor | None = None,
        ignore_index: int | None = -100,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, ignore_index=ignore_index, reduction=reduction)
        if variant not in _VARIANTS:
            raise ValueError(f"variant must be one of {', '.join(_VARIANTS)}; got {variant!r}.")
        num_classes = check_size("num_classes", num_classes)
        self.num_classes = num_classes
        self.variant = variant
        self._of_variant = _VARIANTS[variant]
        self.register_buffer("soft_labels", torch.empty(num_classes, num_classes))
        self.register_buffer("sums", torch.empty(num_classes, num_classes))
        self.register_buffer("correct", torch.empty(num_classes))
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Forget what was learned and counted."""
        super().reset_parameters()
        self.soft_labels.fill_(1 / self.num_classes if self._of_variant.starts_uniform else 0.0)
        self.sums.zero_()
        self.correct.zero_()

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The objective's value; in training mode the right predictions are added to the sums.

        Raises:
            ValueError: The logits have another number of classes, or as for every objective.
        """
        warn_of_smoothed_target(target, self._of_variant.soft)
        inputs = read_inputs(input, target, self.weight, self.ignore_index, self.reduction)
        if inputs.logits.shape[1] != self.num_classes:
            raise ValueError(
                f"logits have {inputs.logits.shape[1]} classes, but this criterion was built for "
                f"num_classes={self.num_classes}."
            )
        if self.training and torch.is_grad_enabled():
            self._count(inputs)
        hard, soft = self._of_variant.hard, self._of_variant.soft
        return reduce(_mixed(inputs, self.soft_labels, hard, soft), inputs, self.reduction)

    @torch.no_grad()
    def _count(self, inputs: Inputs) -> None:
        logits = inputs.logits.detach().movedim(1, -1).reshape(-1, self.num_classes)
        labels = inputs.labels
        if labels is None:
            assert inputs.probabilities is not None
            labels = inputs.probabilities.detach().argmax(dim=1)
        labels = labels.reshape(-1)
        probs = logits.softmax(dim=1, dtype=torch.float32)
        # A NaN must not stay in the sums, though the value shows it.
        right = (logits.argmax(dim=1) == labels) & probs.isfinite().all(dim=1)
        if inputs.kept is not None:
            right = right & inputs.kept.reshape(-1)
        probs = torch.where(right.unsqueeze(1), probs, 0.0)
        self.sums.index_add_(0, labels, probs.to(self.sums.dtype))
        self.correct.index_add_(0, labels, right.to(self.correct.dtype))

    @torch.no_grad()
    def end_epoch(self) -> None:
        """Make the soft labels of the next epoch from the right predictions of all processes."""
        if distributed.is_available() and distributed.is_initialized():
            distributed.all_reduce(self.sums)
            distributed.all_reduce(self.correct)
        counted = self.correct.unsqueeze(1)
        mean = self.sums / counted.clamp(min=1)
        new = torch.where(counted > 0, mean, 1 / self.num_classes)
        frozen = self.soft_labels.amax(dim=1, keepdim=True) >= self._of_variant.frozen_from
        frozen = frozen & (counted > 0)
        self.soft_labels.copy_(torch.where(frozen, self.soft_labels, new))
        self.sums.zero_()
        self.correct.zero_()

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Move the sums with the module, but leave them in float32, in which they are exact."""
        exact = {name: self.get_buffer(name) for name in ("soft_labels", "sums", "correct")}
        super()._apply(fn, recurse)
        for name, buffer in exact.items():
            moved = self.get_buffer(name)
            nothing_yet = buffer.is_meta and not moved.is_meta  # as to_empty leaves it
            self._buffers[name] = moved.to(buffer.dtype) if nothing_yet else buffer.to(moved.device)
        return self

    def settings(self) -> str:
        """The variant in words."""
        return f"variant {self.variant}"

    def extra_repr(self) -> str:
        """What ``print(criterion)`` shows."""
        return f"num_classes={self.num_classes}, variant={self.variant!r}, {super().extra_repr()}"


METHOD = Method(
    name="online-label-smoothing",
    label="Online label smoothing",
    summary="smooths towards the mean of the model's own right answers in the epoch before",
    build=lambda training, variant: OnlineLabelSmoothingLoss(training.num_classes, variant),
    page_file="online_label_smoothing.md",
    coefficients=(VARIANT,),
)
