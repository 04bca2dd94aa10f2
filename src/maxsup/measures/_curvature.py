"""How evenly the cross-entropy bends in the directions of the logits."""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from maxsup.measures._check import check_at_least, check_rows

_BLOCK = 2**22
"""Probabilities that are looked at at once: 32 MiB in float64."""
_TOLERANCE = 1e-10
"""Relative, of an eigenvalue."""
_HALVINGS = 43
"""So many bring any two positive numbers in float64, at most a factor of e**745 apart, so near."""


def logit_conditions(logits: Tensor) -> Tensor:
    """Condition number of each sample's Hessian of the cross-entropy with respect to its logits.

    The Hessian is diag(p) − p pᵀ, p the probabilities, whatever the target: a smoothed one too. The
    direction in which all logits grow alike changes nothing and is left out: the number is the
    largest of the K − 1 other eigenvalues by the smallest. It is K·p₁ where the classes beside the
    first share the rest evenly, and larger the less evenly they do.

    The eigenvalues are the roots of Σ p_i/(p_i − λ), of which one lies between each two neighbours
    of the sorted p; the outermost are found by bisection, to a relative 1e-10.

    Args:
        logits: (N, K), any floating dtype.

    Returns:
        (N,) float64: 1 or more; infinite where a probability is 0 in float64, NaN of one class and
        where a logit is NaN or +inf.

    Raises:
        ValueError: The shape or dtype is not as described.

    Example:
        >>> logits = torch.tensor([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0]])
        >>> [round(float(each), 3) for each in logit_conditions(logits)]
        [1.0, 2.361]
    """
    check_rows("logits", logits)
    count, classes = logits.shape
    if classes < 2:
        return logits.new_full((count,), torch.nan, dtype=torch.float64)
    blocks = logits.detach().split(max(1, _BLOCK // classes))
    found = [_of_block(each.double().softmax(dim=1)) for each in blocks if len(each)]
    return torch.cat(found) if found else logits.new_empty(0, dtype=torch.float64)


def _of_block(probabilities: Tensor) -> Tensor:
    rising = probabilities.sort(dim=1).values
    smallest = _root(rising, rising[:, 0], rising[:, 1])
    largest = _root(rising, rising[:, -2], rising[:, -1])
    condition = (largest / smallest).clamp(min=1)
    condition = torch.where(rising[:, 0] > 0, condition, torch.inf)
    return torch.where(rising.isfinite().all(dim=1), condition, torch.nan)


def _root(probabilities: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Where Σ p_i/(p_i − λ), which rises between its poles, is 0 between two of them, (N,)."""
    low = torch.where(low > 0, low, high)  # there is nothing to find
    # As many for all, so that the device is not waited for.
    for _ in range(_HALVINGS):
        is_open = high > low * (1 + _TOLERANCE)
        # Of numbers that may lie many powers of ten apart.
        middle = low.sqrt() * high.sqrt()
        is_below = (probabilities / (probabilities - middle[:, None])).sum(dim=1) < 0
        # One that has been found stays, whatever batch it comes in.
        low = torch.where(is_open & is_below, middle, low)
        high = torch.where(is_open & ~is_below, middle, high)
    return high


class LogitCurvature(Metric):
    """Geometric mean over samples of :func:`logit_conditions`.

    It says how unevenly the cross-entropy bends, and so how hard it is for gradient descent: Guo et
    al. 2024 ("Cross entropy versus label smoothing: a neural collapse perspective") show that label
    smoothing lowers the condition number of the Hessian at the minimisers of the unconstrained
    features model, and explain by it that it converges faster. In that model a sample's feature is
    free, and its block of the Hessian Wᵀ(diag(p) − p pᵀ)W; at a minimiser the rows of the last
    layer W form a simplex, so that the block's condition number is that of its middle: K·p of the
    true class, which smoothing lowers. Of a trained model, whose p and W are no such, this is the
    part that the probabilities decide; :func:`layer_spectrum` tells W's.

    Args:
        num_classes: K, at least 1.
        **kwargs: Of :class:`torchmetrics.Metric`, such as ``sync_on_compute``.

    Raises:
        ValueError: An argument is not as described; in ``update``, a shape or dtype is wrong.

    Example:
        >>> metric = LogitCurvature(num_classes=3)
        >>> metric.update(torch.zeros(2, 3))
        >>> round(float(metric.compute()), 6)
        1.0
    """

    full_state_update = False
    higher_is_better = False
    is_differentiable = False
    logarithms: Tensor
    samples: Tensor

    def __init__(self, num_classes: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_at_least("num_classes", num_classes, 1)
        self.num_classes = num_classes
        zero = torch.zeros((), dtype=torch.float64)
        self.add_state("logarithms", zero, dist_reduce_fx="sum")
        self.add_state("samples", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, logits: Tensor) -> None:
        """Add a batch: logits (N, K) of any floating dtype."""
        check_rows("logits", logits, columns=self.num_classes)
        self.logarithms += logit_conditions(logits).log().sum()
        self.samples += len(logits)

    def compute(self) -> Tensor:
        """The mean of all that was added, 0-dimensional float64; NaN without samples."""
        mean: Tensor = (self.logarithms / self.samples).exp()
        return mean
