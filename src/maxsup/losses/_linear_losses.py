from collections.abc import Callable

import torch
from torch import Tensor, nn

from maxsup.losses import _label_smoothing, _maxsup
from maxsup.losses._label_smoothing import label_smoothing_loss
from maxsup.losses._linear_head import linear_head_loss
from maxsup.losses._loss import Loss
from maxsup.losses._maxsup import maxsup_loss
from maxsup.losses._plain_numbers import check_size
from maxsup.schedules import Schedule


def linear_maxsup_loss(
    features: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    linear_bias: Tensor | None = None,
    alpha: float | Tensor = 0.1,
    weight: Tensor | None = None,
    ignore_index: int | None = -100,
    reduction: str = "mean",
    chunk_size: int | None = None,
) -> Tensor:
    """:func:`maxsup_loss` of ``features @ linear_weight.T + linear_bias``, in chunks of the batch.

    For a last layer with many classes: the (N, K) logits, and their gradient, never exist as a
    whole. Value and gradients are those of the two steps one after the other. The arguments are
    those of :func:`torch.nn.functional.linear_cross_entropy`, with α for its ``label_smoothing``.

    Gradients are computed along with the value, so the backward itself costs next to nothing; with
    ``reduction="none"`` the chunks are gone through a second time for them. Second derivatives,
    ``torch.func`` and ``torch.compile`` use the two plain steps, with the logits as a whole.

    Args:
        features: Shape (N, D) or (D,), any floating dtype.
        linear_weight: Shape (K, D), as in :class:`torch.nn.Linear`.
        target: Class indices, (N,) or (); or probabilities, (N, K) or (K,).
        linear_bias: Shape (K,).
        alpha: Coefficient of the penalty, a number ≥ 0 or a 0-dimensional tensor (not checked).
        weight: Class weights, shape (K,); see :func:`maxsup_loss`.
        ignore_index: Positions with this label give value and gradient 0 and count in no mean.
        reduction: ``none``, ``sum`` or ``mean``.
        chunk_size: Examples to a chunk; None for a ninth of the batch, at least 128. About two
            chunks' worth of logits are in memory at a time.

    Returns:
        0-dimensional, or one value per example for ``none``; float32, or float64 for such features.

    Raises:
        ValueError: An argument's shape, dtype, label, name or range is not as described.

    Example:
        >>> features = torch.eye(2)
        >>> linear_weight = torch.tensor([[2.0, 0.0], [0.0, 3.0], [1.0, 1.0]])
        >>> linear_maxsup_loss(features, linear_weight, torch.tensor([0, 2]))
        tensor(1.4221)
    """
    alpha = _maxsup.ALPHA.check(alpha)
    return linear_head_loss(
        maxsup_loss,
        features,
        linear_weight,
        target,
        linear_bias,
        alpha,
        weight,
        ignore_index,
        reduction,
        chunk_size,
    )


def linear_label_smoothing_loss(
    features: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    linear_bias: Tensor | None = None,
    alpha: float | Tensor = 0.1,
    weight: Tensor | None = None,
    ignore_index: int | None = -100,
    reduction: str = "mean",
    chunk_size: int | None = None,
) -> Tensor:
    """:func:`label_smoothing_loss` of a linear layer's logits, in chunks of the batch.

    Arguments, returned value and errors are those of :func:`linear_maxsup_loss`, with α in [0, 1].

    Example:
        >>> features = torch.eye(2)
        >>> linear_weight = torch.tensor([[2.0, 0.0], [0.0, 3.0], [1.0, 1.0]])
        >>> linear_label_smoothing_loss(features, linear_weight, torch.tensor([0, 2]))
        tensor(1.3221)
    """
    alpha = _label_smoothing.ALPHA.check(alpha)
    return linear_head_loss(
        label_smoothing_loss,
        features,
        linear_weight,
        target,
        linear_bias,
        alpha,
        weight,
        ignore_index,
        reduction,
        chunk_size,
    )


class _LinearLoss(Loss):
    """A linear layer and an objective of its logits."""

    alpha: Tensor
    _head: Callable[..., Tensor]
    _alpha = _maxsup.ALPHA

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        alpha: float | Schedule = 0.1,
        *,
        bias: bool = False,
        weight: Tensor | None = None,
        ignore_index: int | None = -100,
        reduction: str = "mean",
        chunk_size: int | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(weight, ignore_index=ignore_index, reduction=reduction)
        in_features = check_size("in_features", in_features)
        num_classes = check_size("num_classes", num_classes)
        self.linear = nn.Linear(in_features, num_classes, bias=bias, device=device, dtype=dtype)
        self.chunk_size = chunk_size
        self.set_schedule(self._alpha, alpha)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The objective's value of the layer's logits.

        Args:
            input: Features, shape (N, D) or (D,).
            target: Class indices, (N,) or (); or probabilities, (N, K) or (K,).
        """
        return self._head(
            input,
            self.linear.weight,
            target,
            linear_bias=self.linear.bias,
            **self._values_beside(input),
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            chunk_size=self.chunk_size,
        )


class LinearMaxSupLoss(_LinearLoss):
    """A last layer and MaxSup in one, without the logits of the whole batch.

    The module of :func:`maxsup.functional.linear_maxsup_loss`, with the settings of
    :class:`torch.nn.LinearCrossEntropyLoss` and α for its ``label_smoothing``.

    Args:
        in_features: D.
        num_classes: K.
        alpha: Coefficient of the penalty, ≥ 0, fixed or following a schedule.
        bias: Whether the layer has a bias.
        weight: Class weights, shape (K,).
        ignore_index: Positions with this label give value and gradient 0 and count in no mean.
        reduction: ``none``, ``sum`` or ``mean``.
        chunk_size: Examples to a chunk; None for a ninth of the batch, at least 128.
        device: Of the layer's parameters.
        dtype: Of the layer's parameters.

    Example:
        >>> criterion = LinearMaxSupLoss(in_features=8, num_classes=1000)
        >>> round(criterion(torch.zeros(4, 8), torch.arange(4)).item(), 4)
        6.9078
    """

    _head = staticmethod(linear_maxsup_loss)


class LinearLabelSmoothingLoss(_LinearLoss):
    """A last layer and label smoothing in one, without the logits of the whole batch.

    The module of :func:`maxsup.functional.linear_label_smoothing_loss`; its arguments are those of
    :class:`LinearMaxSupLoss`, with α in [0, 1].

    Example:
        >>> criterion = LinearLabelSmoothingLoss(in_features=8, num_classes=1000)
        >>> round(criterion(torch.zeros(4, 8), torch.arange(4)).item(), 4)
        6.9078
    """

    _head = staticmethod(linear_label_smoothing_loss)
    _alpha = _label_smoothing.ALPHA
