"""A pass of a segmentation model over images with masks: counts of the set and of each image."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torchmetrics import Metric

from maxsup._interrupts import check_interrupted
from maxsup.data import Normalization
from maxsup.data.masks import VOID, MaskSplit
from maxsup.evaluation._execution import Execution
from maxsup.evaluation.segmentation import predict, resized
from maxsup.measures import ConfusionMatrix, boundary_iou

MOST_SHOWN = 24
"""Images whose predictions are kept for pictures."""
_SHOWN_SIDE = 320
"""Longer side of a kept prediction, in pixels."""


@dataclass(frozen=True)
class Views:
    """How an image is given to a model to be measured."""

    base_size: tuple[int, int] | None = None
    """Longer and shorter side that it is fitted into first."""
    window: tuple[int, int] | None = None
    """Height and width of the windows that it is seen in; none for the whole image."""
    stride: tuple[int, int] | None = None
    """From window to window."""
    scales: tuple[float, ...] = (1.0,)
    """Factors that it is resized by."""
    flip: bool = False
    """Whether each is seen mirrored too."""

    def sizes(self, sides: Sequence[int]) -> list[tuple[int, int]]:
        """Height and width of what a model is given of an image of this height and width.

        One for each scale: of the whole image, or of a window where it is larger than that.

        >>> Views(scales=(0.5, 2.0), window=(64, 64)).sizes((40, 60))
        [(20, 30), (64, 64)]
        """
        fit = fitted(sides, self.base_size)
        sizes = [resized(sides, fit * scale) for scale in self.scales]
        if self.window is None:
            return sizes
        tall, wide = self.window
        return [(min(height, tall), min(width, wide)) for height, width in sizes]

    def predicted(self, model: Callable[[Tensor], Tensor], image: Tensor) -> Tensor:
        """The classes (H, W) of an image (C, H, W) that is normalised.

        Raises:
            FloatingPointError: The model gives infinite numbers, or NaN.
        """
        fit = fitted(image.shape[1:], self.base_size)
        probs = predict(
            model,
            image,
            scales=[fit * scale for scale in self.scales],
            flip=self.flip,
            window=self.window,
            stride=self.stride,
        )
        if not bool(probs.isfinite().all()):
            raise FloatingPointError("The model gives logits that are infinite or NaN.")
        return probs.argmax(dim=0)


def fitted(sides: Sequence[int], base_size: tuple[int, int] | None) -> float:
    """The factor that brings an image into a longer and a shorter side.

    >>> fitted((480, 640), (2048, 512)), fitted((480, 640), None)
    (1.0666666666666667, 1.0)
    """
    if base_size is None:
        return 1.0
    return min(max(base_size) / max(sides), min(base_size) / min(sides))


class SegmentationFound(NamedTuple):
    """What a pass has counted, over all processes; on the CPU."""

    matrix: Tensor
    """(K, K) int64: pixels of each true class that were predicted as each class."""
    by_image: Tensor
    """(N, K, 3) int64: true pixels, predicted pixels and right ones of each class."""
    boundary: Tensor | None
    """(K, 2) int64: intersection and union near the boundaries, where they were asked for."""
    shown: dict[int, Tensor]
    """By image's id: its prediction, (h, w) uint8, 255 where truth is void; made smaller."""


class _Counts(Metric):
    """Tensors of counts that add up over processes."""

    full_state_update = False

    def __init__(self, **shapes: tuple[int, ...]) -> None:
        super().__init__()
        for name, shape in shapes.items():
            zeros = torch.zeros(shape, dtype=torch.int64)
            self.add_state(name, zeros, dist_reduce_fx="sum")

    def update(self, name: str, index: int | slice | Tensor, counts: Tensor) -> None:
        """Add counts at a place."""
        getattr(self, name)[index] += counts

    def compute(self) -> dict[str, Tensor]:
        """All of them, on the CPU."""
        return {name: getattr(self, name).cpu() for name in self._defaults}


def shown_rows(split: MaskSplit) -> list[int]:
    """The rows of the images whose predictions are kept, spread evenly over the split."""
    count = min(len(split), MOST_SHOWN)
    return [len(split) * number // count for number in range(count)]


@torch.inference_mode()
def segmentation_pass(
    model: nn.Module,
    split: MaskSplit,
    normalization: Normalization,
    execution: Execution,
    num_classes: int,
    views: Views = Views(),
    *,
    boundary: bool = False,
    shown: bool = False,
) -> SegmentationFound:
    """Count what a model makes of each pixel; processes share the images, and all find the same.

    Args:
        model: Images (N, C, H, W) to logits (N, K, H, W), on the execution's device.
        split: The images with their masks.
        normalization: From uint8 to what the model is given.
        execution: Where it runs.
        num_classes: K.
        views: How images are given to the model.
        boundary: Whether what lies near the boundaries is counted by itself.
        shown: Whether predictions of some images are kept.

    Raises:
        ValueError: More images cannot be read than may be.
        FloatingPointError: The model gives infinite numbers, or NaN.
    """
    model.eval()
    device = execution.device
    rows = shown_rows(split) if shown else []
    sizes = {row: _shown_size(split.sizes[row].tolist()) for row in rows}
    begins, total = {}, 0
    for row, (height, width) in sizes.items():
        begins[row], total = total, total + height * width
    confusion = ConfusionMatrix(num_classes).to(device)
    counts = _Counts(
        by_image=(len(split), num_classes, 3), boundary=(num_classes, 2), shown=(total,)
    )
    for index, pixels, labels in split.items(execution.rank, execution.processes):
        check_interrupted()
        image = normalization(pixels.unsqueeze(0).to(device))[0]
        truth = labels.to(device)
        with execution.autocast():
            predicted = views.predicted(model, image)
        before = confusion.matrix.clone()
        confusion.update(predicted.to(torch.uint8), truth)
        own = (confusion.matrix - before).cpu()
        counts.update("by_image", index, torch.stack((own.sum(1), own.sum(0), own.diagonal()), 1))
        present = torch.nonzero(own.sum(0) + own.sum(1)).flatten()
        if boundary and len(present):
            counts.update("boundary", present, boundary_counts(predicted, truth, present))
        if index in sizes:
            small = _nearest(predicted.masked_fill(truth == VOID, VOID), sizes[index])
            begin = begins[index]
            counts.update("shown", slice(begin, begin + small.numel()), small.flatten().cpu())
    # Each part of a matrix that a process has is added to those of the others.
    matrix = confusion.compute().cpu()
    found = counts.to(device).compute()
    kept = {
        int(split.ids[row]): found["shown"][begin : begin + sizes[row][0] * sizes[row][1]]
        .view(*sizes[row])
        .to(torch.uint8)
        for row, begin in begins.items()
    }
    return SegmentationFound(
        matrix, found["by_image"], found["boundary"] if boundary else None, kept
    )


def boundary_counts(predicted: Tensor, truth: Tensor, present: Tensor) -> Tensor:
    """Intersection and union near the boundaries of the classes that occur, (P, 2), on the CPU.

    Args:
        predicted: (H, W) labels.
        truth: (H, W) labels, 255 void.
        present: (P,) classes that occur in either, void left out.
    """
    codes = torch.full((VOID + 1,), VOID, dtype=torch.int64)
    codes[present] = torch.arange(len(present))
    codes = codes.to(truth.device)
    both = boundary_iou(codes[predicted], codes[truth.long()], len(present))
    return torch.stack(both, dim=1).cpu()


def _shown_size(sides: Sequence[int]) -> tuple[int, int]:
    height, width = sides
    factor = min(1.0, _SHOWN_SIDE / max(height, width))
    return max(1, round(height * factor)), max(1, round(width * factor))


def _nearest(labels: Tensor, size: tuple[int, int]) -> Tensor:
    down, across = (
        ((torch.arange(new, device=labels.device) + 0.5) * old / new).long()
        for new, old in zip(size, labels.shape, strict=True)
    )
    return labels[down][:, across]


def smaller_mask(mask: Tensor) -> Tensor:
    """A mask (H, W) as small as the predictions that are kept."""
    return _nearest(mask, _shown_size(mask.shape))
