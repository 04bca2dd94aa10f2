"""The measures of segmentation: how they are called, and how they follow from counts."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from maxsup.evaluation._segmentation_pass import SegmentationFound
from maxsup.measures import (
    class_iou,
    mean_accuracy,
    mean_iou,
    pixel_accuracy,
    ratio_contributions,
)
from maxsup.results.schema import MeasureFacts, SplitName, bounds_of

MEAN_IOU = "mean_iou"
MULTISCALE = "_multiscale"


class _Measure(NamedTuple):
    name: str
    label: str
    help: str
    value: Callable[[SegmentationFound], Tensor]
    headline: bool = False


_MEASURES = (
    _Measure(
        MEAN_IOU,
        "Mean IoU",
        "mean over classes of intersection over union of predicted and true pixels of the whole "
        "test set; classes that are in neither are left out",
        lambda found: mean_iou(found.matrix),
        True,
    ),
    _Measure(
        "mean_accuracy",
        "Mean accuracy",
        "mean over the true classes of the fraction of their pixels that are predicted right",
        lambda found: mean_accuracy(found.matrix),
        True,
    ),
    _Measure(
        "pixel_accuracy",
        "Pixel accuracy",
        "fraction of all pixels of the test set that are predicted right; void counts nowhere",
        lambda found: pixel_accuracy(found.matrix),
        True,
    ),
)
_BOUNDARY = _Measure(
    "boundary_iou",
    "Boundary IoU",
    "mean IoU of the pixels near the boundaries of each class, within 2 % of the image's diagonal",
    lambda found: _boundary_iou(found.boundary),
)


def _boundary_iou(counts: Tensor | None) -> Tensor:
    if counts is None:
        return torch.tensor(torch.nan)
    both = counts.double()
    return (both[:, 0] / both[:, 1]).nanmean()


def segmentation_values(
    found: SegmentationFound, split: SplitName, *, suffix: str = ""
) -> dict[str, float]:
    """The measures of a split by name."""
    measures = (*_MEASURES, *([_BOUNDARY] if found.boundary is not None else []))
    return {f"{split}_{each.name}{suffix}": float(each.value(found)) for each in measures}


def segmentation_facts(*, multiscale: bool = False) -> list[MeasureFacts]:
    """How results describe the measures of segmentation, in the order of the table.

    Args:
        multiscale: Whether test images were seen at several scales as well.

    Example:
        >>> [facts["name"] for facts in segmentation_facts()][0]
        'test_mean_iou'
    """
    rows = [(each, "", "", "") for each in (*_MEASURES, _BOUNDARY)]
    if multiscale:
        rows += [
            (each, MULTISCALE, ", multi-scale", "; the mean over scales and mirror images")
            for each in (*_MEASURES, _BOUNDARY)
        ]
    return [
        MeasureFacts(
            name=f"test_{each.name}{suffix}",
            label=each.label + label,
            help=each.help + more,
            better="higher",
            percent=True,
            digits=2,
            bounds=bounds_of(None, percent=True),
            split="test",
            headline=each.headline and not suffix,
            detail=False,
        )
        for each, suffix, label, more in rows
    ]


def segmentation_contributions(measure: str, by_image: Tensor) -> Tensor | None:
    """What each image contributes to a measure of the test set, see :func:`ratio_contributions`.

    Args:
        measure: As results name it.
        by_image: :attr:`SegmentationFound.by_image`.

    Returns:
        (N,) float64; none of a measure that does not follow from these counts.
    """
    true, predicted, right = by_image.unbind(dim=2)
    match measure.removeprefix("test_"):
        case "mean_iou":
            return ratio_contributions(right, true + predicted - right)
        case "mean_accuracy":
            return ratio_contributions(right, true)
        case "pixel_accuracy":
            sums = (part.sum(dim=1, keepdim=True) for part in (right, true))
            return ratio_contributions(*sums)
    return None


def iou_by_class(matrix: Tensor) -> list[float | None]:
    """The IoU of each class; none of one that is in neither truth nor prediction."""
    return [None if value != value else value for value in class_iou(matrix).tolist()]
