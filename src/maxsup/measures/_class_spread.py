"""Class separation class by class, and the samples that stand for it."""

from typing import NamedTuple

import torch
from torch import Tensor

from maxsup.measures._check import check_at_least, check_labels, check_rows, number_of_classes
from maxsup.measures._separation import ClassSeparation


class ClassSpread(NamedTuple):
    """How far the features of each class spread."""

    within: Tensor
    """(K,) float64: mean cosine distance between two features of the class, a feature and itself
    included: 1 − ‖μ_k‖², μ_k the mean of the class's unit features. 0 where the class is a single
    direction. ``class_separation(...).within`` is the mean over the classes. NaN without
    samples."""
    directions: Tensor
    """(K, D) float64: μ_k."""
    samples: Tensor
    """(K,) int64: samples of the class."""


def class_spread(features: Tensor, labels: Tensor, num_classes: int | None = None) -> ClassSpread:
    """The within-class distance of :func:`class_separation` of each class by itself.

    Classes of few samples are biased downwards, as pairs of a sample with itself are included: by
    the factor 1 − 1/N_k in the mean.

    Args:
        features: Shape (N, D), any floating dtype; summed in float64. A feature of zeros has no
            direction: its cosine to every feature, itself included, counts as 0.
        labels: Class indices, shape (N,).
        num_classes: K; the labels are below it; by default the largest label + 1.

    Raises:
        ValueError: A shape, dtype, label or number is not as described.

    Example:
        >>> features = torch.tensor([[1.0, 0.0], [2.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
        >>> class_spread(features, torch.tensor([0, 0, 1, 1])).within.tolist()
        [0.0, 0.5]
    """
    check_rows("features", features)
    if num_classes is None:
        num_classes = number_of_classes(labels)
    metric = ClassSeparation(num_classes, features.shape[1], sync_on_compute=False)
    metric.to(features.device).update(features, labels)
    means = metric.sums / metric.counts.unsqueeze(1)
    return ClassSpread((1 - means.square().sum(dim=1)).clamp(min=0), means, metric.counts)


class ExtremeSamples(NamedTuple):
    """Samples of one class by their cosine to the class's mean direction."""

    nearest: Tensor
    """Indices of the samples, the nearest first."""
    farthest: Tensor
    """Indices of the samples, the farthest first."""
    nearest_cosines: Tensor
    """Their cosines, float64."""
    farthest_cosines: Tensor
    """Their cosines, float64."""


def extreme_samples(features: Tensor, labels: Tensor, label: int, count: int = 5) -> ExtremeSamples:
    """The samples of a class that lie nearest to its mean direction, and farthest from it.

    The mean direction is the mean of the class's unit features; of samples equally far, the one
    that comes first is taken first. In a class of fewer than 2·``count`` samples some are both.

    Args:
        features: (N, D), any floating dtype.
        labels: Class indices, (N,).
        label: The class.
        count: How many of each, at least 1; fewer where the class has fewer samples.

    Returns:
        Indices into ``features``, on the CPU.

    Raises:
        ValueError: A shape, dtype or number is not as described, or the class has no samples.

    Example:
        >>> features = torch.tensor([[1.0, 0.0], [0.0, 9.0], [1.0, 0.1], [0.0, 1.0]])
        >>> found = extreme_samples(features, torch.tensor([0, 1, 0, 0]), label=0, count=1)
        >>> found.nearest.tolist(), found.farthest.tolist()
        ([2], [3])
    """
    check_rows("features", features)
    check_at_least("count", count, 1)
    check_at_least("label", label, 0)
    check_labels(labels, len(features), number_of_classes(labels))
    of_class = (labels == label).nonzero().flatten()
    if not len(of_class):
        raise ValueError(f"No sample has the label {label}, so none is near its class's mean.")
    rows = features[of_class].detach().double()
    norms = rows.norm(dim=1, keepdim=True)
    rows = torch.where(norms == 0, 0.0, rows / norms)
    direction = rows.mean(dim=0)
    length = direction.norm()
    cosines = (rows @ direction / torch.where(length == 0, 1.0, length)).cpu()
    of_class = of_class.cpu()
    nearest = (-cosines).argsort(stable=True)[:count]
    farthest = cosines.argsort(stable=True)[:count]
    return ExtremeSamples(
        of_class[nearest], of_class[farthest], cosines[nearest], cosines[farthest]
    )
