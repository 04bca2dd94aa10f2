"""Neural collapse: how far classes have shrunk to points, and how these points lie."""

from typing import Any, NamedTuple

import torch
from torch import Tensor

from maxsup.measures._check import check_rows, number_of_classes
from maxsup.measures._moments import FeatureMoments, Moments
from maxsup.measures._spectrum import count_above_rounding, entropy_rank

_PAIRS = 2**22
"""Pairs of classes that are looked at at once: 32 MiB in float64."""


class CollapseValues(NamedTuple):
    """How far features have collapsed; float64, 0-dimensional but for ``spectrum``.

    K is the number of classes with samples, N that of samples, D the features' width, and n_k, μ_k
    are number and mean of the samples of class k. Numbers of covariances weigh the samples the
    same (Σ_T = Σ_W + Σ_B, each divided by N, about the mean of all samples); numbers of class means
    weigh the classes the same, about the mean μ̄ of the class means. With classes of equal size both
    are the literature's. An eigenvalue of Σ_B or Σ_T counts as 0 where it is at most
    max(K, D)·2.2e-16 times the largest. A number is NaN where it does not exist: with a single
    class, without samples, with features that are not finite.
    """

    nc1: Tensor
    """trace(Σ_W Σ_B⁺)/K (Papyan et al. 2020): spread within classes by spread between them; 0 where
    each class is a point."""
    cdnv: Tensor
    """Class-distance normalised variance (Galanti et al. 2022): mean over pairs of classes of
    (v_i + v_j)/(2‖μ_i − μ_j‖²), v_k the mean squared distance of class k's samples from μ_k; 0
    where each class is a point, infinite where two classes that are none have one mean."""
    equinorm: Tensor
    """NC2: standard deviation of ‖μ_k − μ̄‖ over the classes (divided by K) by its mean; 0 for a
    simplex."""
    equiangular: Tensor
    """NC2: ``|cos(μ_i − μ̄, μ_j − μ̄) + 1/(K − 1)|``, mean over pairs of classes; 0 for a simplex."""
    angle_std: Tensor
    """NC2: standard deviation of these cosines over the pairs; 0 where all angles are equal."""
    self_duality: Tensor
    """NC3: ‖W/‖W‖ − M/‖M‖‖ (Frobenius), W the last layer's weight, M the rows μ_k − μ̄: 0 where the
    layer's rows are the class means up to one factor, √2 where they have nothing to do with each
    other, at most 2. (Its square is also found in the literature.) NaN without a layer."""
    self_duality_cosine: Tensor
    """NC3: mean over the classes of the cosine of W's row and μ_k − μ̄. NaN without a layer."""
    vci: Tensor
    """Variability collapse index (Xu & Liu 2023): 1 − trace(Σ_T⁺ Σ_B)/rank(Σ_B), between 0
    (collapsed) and 1; no linear map of the features changes it. 0 by itself where Σ_T has rank
    N − 1: with no more samples than features it says nothing."""
    condition_number: Tensor
    """Of the class means: square root of the ratio of Σ_B's largest to its smallest eigenvalue that
    is not 0; 1 for a simplex."""
    rank: Tensor
    """Entropy rank of the features about their mean: exp of the entropy of their singular values
    (divided by their sum), between 1 and min(N − 1, D)."""
    rank_fraction: Tensor
    """``rank`` / min(N − 1, D): by D alone, few samples would look collapsed."""
    spectrum: Tensor
    """(D,), falling: standard deviations along the features' principal directions, the square
    roots of Σ_T's eigenvalues, 0 where these count as 0. Singular values of the N features about
    their mean are √N times as large."""


class Collapse(FeatureMoments):
    """:func:`neural_collapse` over batches and processes.

    Args:
        num_classes: The labels are below it; at least 1.
        num_features: D, at least 1.
        weight: (K, D), the last layer's weight, for self-duality.
        **kwargs: Of :class:`torchmetrics.Metric`, such as ``sync_on_compute``.

    Raises:
        ValueError: An argument is not as described; in ``update``, a shape, dtype or label is
            wrong.

    Example:
        >>> metric = Collapse(num_classes=2, num_features=2)
        >>> metric.update(torch.eye(2), torch.arange(2))
        >>> float(metric.compute().equinorm)
        0.0
    """

    def __init__(
        self, num_classes: int, num_features: int, weight: Tensor | None = None, **kwargs: Any
    ) -> None:
        super().__init__(num_classes, num_features, **kwargs)
        self.weight = None if weight is None else _check_weight(weight, num_classes, num_features)

    def compute(self) -> CollapseValues:  # type: ignore[override]
        """How far all that was added has collapsed."""
        return collapse_of_moments(super().compute(), self.weight)


def neural_collapse(
    features: Tensor,
    labels: Tensor,
    num_classes: int | None = None,
    weight: Tensor | None = None,
) -> CollapseValues:
    """Neural collapse of features (Papyan et al. 2020, and successors).

    :class:`CollapseValues` says what each number is. NC4 is told by :func:`nearest_class_mean`.

    Args:
        features: Shape (N, D), any floating dtype; summed in float64.
        labels: Class indices, shape (N,).
        num_classes: The labels are below it; by default the largest label + 1. Classes without
            samples are left out.
        weight: (``num_classes``, D), the last layer's weight, for self-duality.

    Raises:
        ValueError: A shape, dtype, label or number is not as described.

    Example:
        >>> found = neural_collapse(torch.eye(3), torch.arange(3), weight=torch.eye(3))
        >>> round(float(found.nc1), 6), round(float(found.equiangular), 6), float(found.vci) < 1e-9
        (0.0, 0.0, True)
        >>> round(float(found.self_duality_cosine), 3)  # √(2/3): the mean of W's rows is not 0
        0.816
    """
    check_rows("features", features)
    if num_classes is None:
        num_classes = number_of_classes(labels)
    metric = FeatureMoments(num_classes, features.shape[1], sync_on_compute=False)
    metric.to(features.device).update(features, labels)
    return collapse_of_moments(metric.compute(), weight)


def collapse_of_moments(moments: Moments, weight: Tensor | None = None) -> CollapseValues:
    """:func:`neural_collapse` of what :class:`FeatureMoments` has summed up.

    Raises:
        ValueError: The weight's shape or dtype is not as described.
    """
    moments = moments.in_full()
    classes, width = moments.centred_means.shape
    present = moments.counts > 0
    nothing = moments.mean.new_tensor(torch.nan)
    samples = moments.counts.sum()
    rows = None
    if weight is not None:
        weight = _check_weight(weight, classes, width)
        rows = weight.to(moments.mean.device).double()[present]
    if not present.any() or not moments.covariance.isfinite().all():
        unknown = torch.full_like(moments.mean, torch.nan)
        return CollapseValues._make([*[nothing] * 11, unknown])
    means = moments.centred_means[present]
    weights = moments.counts[present] / samples
    between = _between(moments.covariance, means, weights, samples)
    about = means - means.mean(dim=0)
    return CollapseValues(
        nc1=between.nc1,
        cdnv=_cdnv(about, moments.variances[present]),
        **_simplex(about),
        **_duality(about, rows),
        vci=between.vci,
        condition_number=between.condition_number,
        rank=between.rank,
        rank_fraction=between.rank / (samples - 1).clamp(max=width),
        spectrum=between.spectrum,
    )


class _Between(NamedTuple):
    nc1: Tensor
    vci: Tensor
    condition_number: Tensor
    rank: Tensor
    spectrum: Tensor


def _between(covariance: Tensor, means: Tensor, weights: Tensor, samples: Tensor) -> _Between:
    """What Σ_T and Σ_B say."""
    classes, width = means.shape
    nothing = covariance.new_tensor(torch.nan)

    # Σ_T = Q diag(eigenvalues) Qᵀ, largest first.
    eigenvalues, directions = torch.linalg.eigh(covariance)
    eigenvalues, directions = eigenvalues.flip(0), directions.flip(1)
    kept = min(int(count_above_rounding(eigenvalues, max(classes, width))), int(samples) - 1)
    if kept < 1:
        return _Between(nothing, nothing, nothing, nothing, torch.zeros_like(eigenvalues))
    eigenvalues = torch.where(
        torch.arange(width, device=eigenvalues.device) < kept, eigenvalues, 0.0
    )
    spectrum = eigenvalues.sqrt()

    # Σ_B = AᵀA with the rows of A the class means; its right singular vectors are Σ_B's.
    scaled = weights.sqrt().unsqueeze(1) * means
    _, singular, vectors = torch.linalg.svd(scaled, full_matrices=False)
    squares = singular.square()
    rank = min(int(count_above_rounding(squares, max(classes, width))), classes - 1)
    largest_two = torch.cat([squares[:1], eigenvalues[:1]])
    if rank < 1 or count_above_rounding(largest_two, max(classes, width)) < 2:
        # A single class, or classes whose means are one but for rounding.
        return _Between(nothing, nothing, nothing, entropy_rank(spectrum), spectrum)
    squares, vectors = squares[:rank], vectors[:rank]
    along = ((vectors @ covariance) * vectors).sum(dim=1)
    nc1 = (along / squares - 1).clamp(min=0).sum() / classes
    explained = (scaled @ directions[:, :kept]).square().sum(dim=0) / eigenvalues[:kept]
    vci = (1 - explained.sum() / rank).clamp(0, 1)
    return _Between(nc1, vci, singular[0] / singular[rank - 1], entropy_rank(spectrum), spectrum)


def _cdnv(means: Tensor, variances: Tensor) -> Tensor:
    """Over all pairs of classes."""
    classes = len(means)
    squares = means.square().sum(dim=1)
    total = means.new_zeros(())
    for start, part in _parts_of_pairs(classes):
        both = squares[part].unsqueeze(1) + squares
        distances = both - 2 * means[part] @ means.T
        # Means that differ by rounding alone are one.
        distances = torch.where(distances <= both * 1e-14, 0.0, distances)
        found = (variances[part].unsqueeze(1) + variances) / (2 * distances)
        found[torch.arange(len(found)), torch.arange(start, start + len(found))] = 0
        total += found.sum()
    return total / (classes * (classes - 1))


def _simplex(means: Tensor) -> dict[str, Tensor]:
    """NC2, of class means about their mean."""
    classes = len(means)
    norms = means.norm(dim=1)
    pairs = classes * (classes - 1)
    directions = means / norms.unsqueeze(1)
    absolute, linear, squared = means.new_zeros(3)
    if classes > 1:
        for start, part in _parts_of_pairs(classes):
            beyond = directions[part] @ directions.T + 1 / (classes - 1)
            beyond[torch.arange(len(beyond)), torch.arange(start, start + len(beyond))] = 0
            absolute = absolute + beyond.abs().sum()
            linear = linear + beyond.sum()
            squared = squared + beyond.square().sum()
    variance = squared / pairs - (linear / pairs).square() if pairs else means.new_tensor(torch.nan)
    return {
        "equinorm": norms.std(correction=0) / norms.mean(),
        "equiangular": absolute / pairs,
        "angle_std": variance.clamp(min=0).sqrt(),
    }


def _duality(means: Tensor, rows: Tensor | None) -> dict[str, Tensor]:
    """NC3, of class means about their mean and the last layer's rows of the same classes."""
    if rows is None or len(rows) < 2:
        nothing = means.new_tensor(torch.nan)
        return {"self_duality": nothing, "self_duality_cosine": nothing}
    cosines = (rows * means).sum(dim=1) / (rows.norm(dim=1) * means.norm(dim=1))
    return {
        "self_duality": (rows / rows.norm() - means / means.norm()).norm(),
        "self_duality_cosine": cosines.mean(),
    }


def _parts_of_pairs(classes: int) -> list[tuple[int, slice]]:
    step = max(1, _PAIRS // classes)
    return [(start, slice(start, start + step)) for start in range(0, classes, step)]


def _check_weight(weight: Tensor, classes: int, width: int) -> Tensor:
    check_rows("weight", weight, columns=width)
    if len(weight) != classes:
        raise ValueError(
            f"weight must have one row for each of the {classes} classes; got {len(weight)} rows."
        )
    return weight.detach()
