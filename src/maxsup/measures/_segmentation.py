"""How well each pixel's class is predicted: all from one confusion matrix over a whole set."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d
from torchmetrics import Metric

VOID = 255
"""The label of pixels that have none."""
_CODES = 256
_PAIRS_AT_ONCE = 2**18


class ConfusionMatrix(Metric):
    """Pixels of each true class (rows) that were predicted as each class (columns).

    Exact counts over batches and processes; void pixels are left out. Measures of segmentation are
    made of the matrix of a whole set, and not of means over images.

    Args:
        num_classes: K, from 1 to 255.
        void: The label of pixels that do not count.
        **kwargs: Of :class:`torchmetrics.Metric`.

    Raises:
        ValueError: ``num_classes`` is no such number; in ``update``, shapes differ or a label is
            neither a class nor void.

    Example:
        >>> metric = ConfusionMatrix(2)
        >>> metric.update(torch.tensor([[0, 1, 1]]), torch.tensor([[0, 0, 255]]))
        >>> metric.compute().tolist()
        [[1, 1], [0, 0]]
    """

    full_state_update = False
    higher_is_better = None
    is_differentiable = False
    matrix: Tensor

    def __init__(self, num_classes: int, void: int = VOID, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(num_classes, int) or not 1 <= num_classes < _CODES:
            raise ValueError(
                f"num_classes must be a whole number from 1 to {_CODES - 1}; got {num_classes!r}."
            )
        if not num_classes <= void < _CODES:
            raise ValueError(
                f"void must lie behind the {num_classes} classes and below {_CODES}; got {void}."
            )
        self.num_classes, self.void = num_classes, void
        zeros = torch.zeros(num_classes, num_classes, dtype=torch.int64)
        self.add_state("matrix", zeros, dist_reduce_fx="sum")

    def update(self, predicted: Tensor, target: Tensor) -> None:
        """Add labels (…), uint8 or any integers; or logits (N, K, …) for targets (N, …)."""
        if predicted.is_floating_point():
            if predicted.dim() < 2 or predicted.shape[1] != self.num_classes:
                raise ValueError(
                    f"predicted must be logits of shape (N, {self.num_classes}, ...), or labels; "
                    f"got {tuple(predicted.shape)}."
                )
            predicted = predicted.argmax(dim=1)
        if predicted.shape != target.shape:
            raise ValueError(
                f"predicted and target must have one shape; got {tuple(predicted.shape)} and "
                f"{tuple(target.shape)}."
            )
        # What lies outside the classes shows in the counts.
        counts = _count_pairs(_as_codes("target", target), _as_codes("predicted", predicted))
        known = counts[: self.num_classes, : self.num_classes]
        rows = counts.sum(dim=1)
        rows[self.void] = 0
        if int(rows[self.num_classes :].sum()):
            label = int(rows[self.num_classes :].nonzero()[0]) + self.num_classes
            raise ValueError(
                f"target holds {label} in {int(rows[label])} pixels, which is neither one of the "
                f"{self.num_classes} classes nor void ({self.void})."
            )
        if int(known.sum()) != int(rows.sum()):
            columns = counts[: self.num_classes, self.num_classes :].sum(dim=0)
            label = int(columns.nonzero()[0]) + self.num_classes
            raise ValueError(
                f"predicted holds {label}, which is none of the {self.num_classes} classes."
            )
        self.matrix += known

    def compute(self) -> Tensor:
        """(K, K) int64."""
        return self.matrix


def _as_codes(name: str, labels: Tensor) -> Tensor:
    if labels.dtype == torch.bool or labels.is_floating_point() or labels.is_complex():
        raise ValueError(f"{name} must be a tensor of integers, class indices; got {labels.dtype}.")
    if labels.dtype == torch.uint8:
        return labels.flatten()
    if labels.numel():
        least, most = (int(value) for value in labels.aminmax())
        if least < 0 or most >= _CODES:
            wrong = least if least < 0 else most
            raise ValueError(f"{name} holds {wrong}; labels lie from 0 to {_CODES - 1}.")
    return labels.flatten().to(torch.uint8)


def _count_pairs(rows: Tensor, columns: Tensor) -> Tensor:
    """How often each pair of uint8 codes comes, (256, 256).

    One 32-bit number stands for a pair, in parts that stay in the processor's cache: many times
    faster than 64 bits at once.
    """
    counts = torch.zeros(_CODES**2, dtype=torch.int64, device=rows.device)
    at_once = _PAIRS_AT_ONCE if rows.device.type == "cpu" else max(1, rows.numel())
    for some, others in zip(rows.split(at_once), columns.split(at_once), strict=True):
        pairs = torch.add(others, some.to(torch.int32), alpha=_CODES)
        counts += torch.bincount(pairs, minlength=_CODES**2)
    return counts.view(_CODES, _CODES)


def _check(matrix: Tensor) -> Tensor:
    if matrix.dim() != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"matrix must have shape (K, K); got {tuple(matrix.shape)}.")
    return matrix.double()


def class_iou(matrix: Tensor) -> Tensor:
    """Intersection over union of each class, TP/(TP + FP + FN), (K,) float64.

    NaN for a class that is in neither truth nor prediction.

    Example:
        >>> class_iou(torch.tensor([[2, 1, 0], [0, 1, 0], [0, 0, 0]]))
        tensor([0.6667, 0.5000,    nan], dtype=torch.float64)
    """
    matrix = _check(matrix)
    hits = matrix.diagonal()
    return hits / (matrix.sum(dim=0) + matrix.sum(dim=1) - hits)


def mean_iou(matrix: Tensor) -> Tensor:
    """The mean of :func:`class_iou` over the classes that are in truth or prediction."""
    return class_iou(matrix).nanmean()


def mean_accuracy(matrix: Tensor) -> Tensor:
    """The mean over true classes of the part of their pixels that is predicted rightly."""
    matrix = _check(matrix)
    return (matrix.diagonal() / matrix.sum(dim=1)).nanmean()


def pixel_accuracy(matrix: Tensor) -> Tensor:
    """The part of all pixels that is predicted rightly; NaN without pixels."""
    matrix = _check(matrix)
    return matrix.diagonal().sum() / matrix.sum()


def boundary_iou(
    predicted: Tensor, target: Tensor, num_classes: int, *, width: int | None = None
) -> tuple[Tensor, Tensor]:
    """Intersection and union of what lies near each class's boundary (Cheng et al. 2021).

    A class's pixels within ``width`` of its own boundary, the edges of the image and of void
    included, in truth and in prediction. Add those of all images, and divide. Void pixels count in
    neither.

    Args:
        predicted: (H, W) labels.
        target: (H, W) labels, 255 void.
        num_classes: K.
        width: In pixels (steps to the 8 neighbours); 2 % of the diagonal, as the authors have it,
            by default.

    Returns:
        Pixels of intersection and of union, (K,) int64 each.

    Example:
        >>> intersection, union = boundary_iou(torch.eye(4).long(), torch.eye(4).long(), 2)
        >>> torch.equal(intersection, union)
        True
    """
    if predicted.shape != target.shape or target.dim() != 2:
        raise ValueError(
            f"predicted and target must have one shape (H, W); got {tuple(predicted.shape)} and "
            f"{tuple(target.shape)}."
        )
    height, image_width = target.shape
    if width is None:
        width = max(1, round(0.02 * (height**2 + image_width**2) ** 0.5))
    # A prediction without void would have no boundary where truth has one.
    predicted = torch.where(target == VOID, VOID, predicted)
    classes = torch.arange(num_classes, device=target.device).view(-1, 1, 1)
    near = [_near_boundary(labels == classes, width) for labels in (predicted, target)]
    return (near[0] & near[1]).sum(dim=(1, 2)), (near[0] | near[1]).sum(dim=(1, 2))


def _near_boundary(masks: Tensor, width: int) -> Tensor:
    outside = torch.nn.functional.pad((~masks).float(), [width] * 4, value=1.0).unsqueeze(0)
    # The greatest of a square is that of its rows' greatest, and each takes one side's work.
    for window in ((1, 2 * width + 1), (2 * width + 1, 1)):
        outside = max_pool2d(outside, window, stride=1)
    return masks & (outside[0] > 0)


def ratio_contributions(numerators: Tensor, denominators: Tensor) -> Tensor:
    """What each image contributes to a mean of ratios of sums over images, as mean IoU is.

    R = mean_k (A_k / B_k), where A_k and B_k are sums over images; classes whose B_k is 0 are left
    out. An image contributes R + N·mean_k ((a_nk − (A_k / B_k)·b_nk) / B_k). The mean over images
    is R, and the spread is that of R, to first order: the pseudo-values of the infinitesimal
    jackknife (Efron 1982). So what is known of means holds for R, of many images.

    Args:
        numerators: a, (N, K) of any numbers; right pixels, for the IoU.
        denominators: b, (N, K); true and predicted pixels less the right ones, for the IoU.

    Returns:
        (N,) float64.

    Example:
        >>> right, either = torch.tensor([[4], [2]]), torch.tensor([[5], [5]])
        >>> [round(each, 6) for each in ratio_contributions(right, either).tolist()]
        [0.8, 0.4]
    """
    a, b = numerators.double(), denominators.double()
    there = b.sum(dim=0) > 0
    a, b = a[:, there], b[:, there]
    total = b.sum(dim=0)
    ratios = a.sum(dim=0) / total
    return ratios.mean() + len(a) * ((a - ratios * b) / total).mean(dim=1)
