"""Classification by the nearest training samples."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from maxsup.measures._check import check_at_least, check_labels
from maxsup.measures._logistic import check_features

NEIGHBOURS = (10, 20, 100, 200)
"""How many neighbours are asked (Caron et al. 2021, DINO)."""
_TEST_BLOCK, _TRAIN_BLOCK = 512, 8192
"""Samples whose similarities are in memory together."""


class Neighbours(NamedTuple):
    """What the nearest training samples say."""

    k: int
    """How many were asked; as many as there are, where there are fewer training samples."""
    accuracy: float
    """Fraction of the test samples that are right."""
    predictions: Tensor
    """(test samples,) int64."""


def nearest_neighbours(
    train_features: Tensor,
    train_labels: Tensor,
    test_features: Tensor,
    test_labels: Tensor,
    *,
    k: Sequence[int] = NEIGHBOURS,
    temperature: float = 0.07,
) -> list[Neighbours]:
    """k-nearest-neighbour classification of features, as DINO has it (Caron et al. 2021).

    The k training samples whose features have the largest cosine similarity s with a test sample's
    vote for their class, each with the weight exp(s/temperature); the class with the most wins.

    Nothing is left to chance: cosines are computed in float64 and compared in float32, among equal
    ones the sample that comes first is nearer, and among classes with equal votes the one with the
    smaller number wins. A feature of zeros has the cosine 0 to every other.

    Similarities are computed block by block, so memory grows with the samples alone.

    Args:
        train_features: Shape (N, D), any floating dtype, N at least 1.
        train_labels: Class indices, shape (N,).
        test_features: Shape (M, D), M at least 1.
        test_labels: Class indices, shape (M,); a class without training samples is never right.
        k: How many neighbours are asked, one or more numbers of 1 or more.
        temperature: Above 0; the lower, the more the nearest count.

    Returns:
        One for each k, in order. A k above N asks all N, and its ``.k`` says so.

    Raises:
        ValueError: A shape, dtype, label or number is not as described, or a feature is not finite.

    Example:
        >>> train, labels = torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0]]), [0, 0, 1]
        >>> test, test_labels = torch.tensor([[2.0, 0.2], [0.1, 5.0]]), torch.tensor([0, 1])
        >>> found = nearest_neighbours(train, torch.tensor(labels), test, test_labels, k=[1, 20])
        >>> for each in found:
        ...     print(each.k, each.accuracy, each.predictions.tolist())
        1 1.0 [0, 1]
        3 1.0 [0, 1]
    """
    check_features("train_features", train_features)
    check_features("test_features", test_features, columns=train_features.shape[1])
    if not len(train_features) or not len(test_features):
        raise ValueError(
            f"There must be samples to ask and to be told; got {len(train_features)} training and "
            f"{len(test_features)} test features."
        )
    num_classes = 1 + max(int(each.max()) for each in (train_labels, test_labels) if each.numel())
    check_labels(train_labels, len(train_features), num_classes)
    check_labels(test_labels, len(test_features), num_classes)
    if not k:
        raise ValueError("k must be one or more numbers of neighbours; got none.")
    for each in k:
        check_at_least("k", each, 1)
    if not temperature > 0:
        raise ValueError(f"temperature must be above 0; got {temperature}.")

    asked = [min(each, len(train_features)) for each in k]
    of_classes = train_labels.long()
    train = functional.normalize(train_features.double(), dim=1)
    votes: list[list[Tensor]] = [[] for _ in asked]
    for block in test_features.split(_TEST_BLOCK):
        unit = functional.normalize(block.double(), dim=1)
        similarity, index = _nearest(unit, train, max(asked))
        weights, classes = (similarity.double() / temperature).exp(), of_classes[index]
        for count, found in zip(asked, votes, strict=True):
            totals = weights.new_zeros(len(block), num_classes)
            totals.scatter_add_(1, classes[:, :count], weights[:, :count])
            found.append(totals.argmax(dim=1))
    predictions = [torch.cat(found) for found in votes]
    return [
        Neighbours(count, float((found == test_labels).double().mean()), found)
        for count, found in zip(asked, predictions, strict=True)
    ]


def _nearest(test: Tensor, train: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k largest cosines (B, k) float32, descending, and whose they are; the first of equals."""
    best = torch.empty(len(test), 0, dtype=torch.int64, device=test.device)
    for start in range(0, len(train), _TRAIN_BLOCK):
        cosines = (test @ train[start : start + _TRAIN_BLOCK].T).float()
        last = len(train) - 1 - start
        index = torch.arange(last, last - cosines.shape[1], -1, device=test.device)
        keys = torch.cat([best, (_ordered(cosines) << 32) + index], dim=1)
        best = keys.topk(min(k, keys.shape[1]), dim=1).values
    return _number(best >> 32), len(train) - 1 - (best & 0xFFFFFFFF)


def _ordered(numbers: Tensor) -> Tensor:
    """The bits of float32 numbers as int64 that are ordered as the numbers are."""
    bits = (numbers + 0.0).view(torch.int32).long()  # −0 becomes 0
    return torch.where(bits < 0, -(bits & 0x7FFFFFFF), bits)


def _number(ordered: Tensor) -> Tensor:
    """The way back."""
    bits = torch.where(ordered < 0, -ordered, ordered).int().view(torch.float32)
    return torch.where(ordered < 0, -bits, bits)
