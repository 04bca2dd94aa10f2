"""What the singular values of a matrix say."""

from typing import NamedTuple

import torch
from torch import Tensor

from maxsup.measures._check import check_rows

_EPS = torch.finfo(torch.float64).eps


def count_above_rounding(eigenvalues: Tensor, size: int) -> Tensor:
    """How many eigenvalues of a covariance stand out from rounding, 0-dimensional.

    One counts where it is larger than ``size``·2.2e-16 times the largest, with ``size`` the larger
    dimension of the matrix: the usual rule for a rank in float64.
    """
    return (eigenvalues > eigenvalues.max() * size * _EPS).sum()


def entropy_rank(singular_values: Tensor) -> Tensor:
    """Exp of the entropy of singular values that are divided by their sum (Roy & Vetterli 2007).

    The number of dimensions that a matrix makes use of, between 1 and its rank: all count in full
    where all singular values are equal. Also called effective rank; RankMe (Garrido et al. 2023)
    is the same of features. NaN where all values are 0.

    Example:
        >>> [round(float(entropy_rank(torch.tensor(each))), 3) for each in ([2.0, 2.0], [1.0, 0.0])]
        [2.0, 1.0]
    """
    fractions = singular_values / singular_values.sum()
    rank: Tensor = torch.special.entr(fractions).sum().exp()
    return rank


class LayerSpectrum(NamedTuple):
    """Singular values of a last layer, and what follows from them; float64."""

    singular_values: Tensor
    """(min(K, D),), falling; 0 where they are no more than rounding."""
    rank: Tensor
    """0-dimensional: exp of their entropy, between 1 and min(K − 1, D)."""
    rank_fraction: Tensor
    """0-dimensional: ``rank`` / min(K − 1, D)."""
    condition_number: Tensor
    """0-dimensional: the largest divided by the smallest that is not 0."""


def layer_spectrum(weight: Tensor) -> LayerSpectrum:
    """Effective rank and condition number of a last layer's weight.

    The mean of the K rows is subtracted first: a vector that is added to every row changes no
    probability, and what is left has rank K − 1 at most. A simplex, as neural collapse would have
    it, has rank K − 1 in full and condition number 1.

    Singular values count as 0 where their squares are at most max(K, D)·2.2e-16 times the largest
    square (about a millionth of the largest value for a thousand classes).

    Args:
        weight: (K, D), any floating dtype; row k belongs to class k.

    Returns:
        The singular values and three numbers; NaN where the weight is not finite or all rows are
        the same, the numbers also with a single class.

    Raises:
        ValueError: A shape or dtype is not as described.

    Example:
        >>> found = layer_spectrum(torch.eye(3))
        >>> [round(float(value), 6) for value in found[1:]]
        [2.0, 1.0, 1.0]
    """
    check_rows("weight", weight)
    rows = weight.detach().double()
    rows = rows - rows.mean(dim=0)
    most = min(len(rows) - 1, rows.shape[1])
    values = torch.full((min(rows.shape),), torch.nan, dtype=torch.float64, device=rows.device)
    if rows.numel() and rows.isfinite().all():
        values = torch.linalg.svdvals(rows)
    nothing = values.new_tensor(torch.nan)
    # Rows that are alike leave their rounding, which has no rank.
    largest = weight.detach().double().abs().max() if rows.numel() else nothing
    tiny = largest * max(rows.shape) * _EPS
    if most < 1 or not values[0] > tiny:
        return LayerSpectrum(torch.full_like(values, torch.nan), nothing, nothing, nothing)
    kept = min(int(count_above_rounding(values.square(), max(rows.shape))), most)
    values = torch.where(torch.arange(len(values), device=values.device) < kept, values, 0.0)
    rank = entropy_rank(values)
    return LayerSpectrum(values, rank, rank / most, values[0] / values[kept - 1])
