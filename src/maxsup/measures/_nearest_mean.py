import torch
from torch import Tensor

from maxsup.measures._blocks import float64_blocks
from maxsup.measures._check import check_rows
from maxsup.measures._moments import Moments


def nearest_class_mean(features: Tensor, moments: Moments) -> Tensor:
    """The class whose mean is nearest to each feature, in Euclidean distance (Papyan et al. 2020).

    NC4 is how often that is not the class a model predicts: 0 where the last layer does no more
    than look for the nearest mean. The means are those of training features, also where the
    features are test samples'.

    Args:
        features: (N, D), any floating dtype; computed in float64.
        moments: Of :class:`FeatureMoments`; a class without samples is nearest to nothing.

    Returns:
        (N,) int64; the smaller index where two are equally near.

    Raises:
        ValueError: A shape or dtype is not as described, there is no class with samples, or
            features or means are not finite, of which none is the nearest.

    Example:
        >>> from maxsup.measures import FeatureMoments
        >>> metric = FeatureMoments(num_classes=3, num_features=1)
        >>> metric.update(torch.tensor([[0.0], [2.0], [9.0]]), torch.tensor([0, 0, 2]))
        >>> nearest_class_mean(torch.tensor([[4.0], [6.0]]), metric.compute()).tolist()
        [0, 2]
    """
    moments = moments.in_full()
    classes, width = moments.centred_means.shape
    check_rows("features", features, columns=width)
    present = moments.counts > 0
    if not present.any():
        raise ValueError("moments has no class with samples, so no mean is the nearest.")
    means = moments.centred_means[present]
    for name, values in (("moments", means), ("features", features)):
        if not values.isfinite().all():
            raise ValueError(f"{name} holds NaN or infinite entries, to which no mean is nearest.")
    of_class = torch.arange(classes, device=features.device)[present]
    half = means.square().sum(dim=1) / 2
    found = torch.empty(len(features), dtype=torch.int64, device=features.device)
    for part, rows in float64_blocks(features):
        # ‖x − μ‖² = ‖x‖² − 2(x·μ − ‖μ‖²/2), about the mean of all, which keeps the digits.
        scores = rows.sub_(moments.mean) @ means.T - half
        found[part] = of_class[scores.argmax(dim=1)]
    return found
