"""What is measured of a segmentation model during and after its training."""

import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor, nn

from maxsup.data import Normalization
from maxsup.data.masks import VOID, MaskData, MaskSplit
from maxsup.evaluation import (
    MULTISCALE,
    Execution,
    Found,
    SegmentationFound,
    SplitName,
    Views,
    boundary_counts,
    segmentation_pass,
    segmentation_values,
)
from maxsup.recipes import Recipe
from maxsup.training._settings import MeasuredOn
from maxsup.training._task import Ended, Estimate

MATRIX = "segmentation_matrix"
"""(K, K) int64 in a result's records: the confusion matrix of the test set."""
BY_IMAGE = "segmentation_by_image"
"""(N, K, 3) int32: true, predicted and right pixels of each test image and class."""
BOUNDARY = "segmentation_boundary"
"""(K, 2) int64: intersection and union near boundaries."""
SHOWN = "segmentation_shown_"
"""And the id of a test image: its prediction, (h, w) uint8, made smaller."""
_MOST_BY_IMAGE = 2**24
"""Numbers that :data:`BY_IMAGE` may have, 64 MB; of larger data it is not kept."""
_TRIED = 3


class SegmentationEvaluator(NamedTuple):
    """Measures one model, the one that a training ends with, in the same way all along."""

    model: nn.Module
    data: MaskData
    measured_on: MeasuredOn
    normalization: Normalization
    execution: Execution
    views: Views
    """How images are given to the model."""
    scales: tuple[float, ...]
    """At which they are seen once more at the end, mirrored as well."""

    def after_epoch(self) -> dict[str, float]:
        """Mean IoU and accuracies on each part that is measured."""
        values: dict[str, float] = {}
        for name, split in self._splits().items():
            values |= segmentation_values(self._pass(split, self.views), name)
        return values

    def at_the_end(
        self, *, keep_outputs: bool, say: Callable[[str], None] = lambda text: None
    ) -> Ended:
        """All measures, and the counts that tables and pictures are made of.

        Args:
            keep_outputs: Without effect, and no recipe turns it off: logits of all pixels would be
                too much to keep.
            say: Is told of the pass over several scales, which takes long.
        """
        values: dict[str, float] = {}
        records: dict[str, Tensor] = {}
        for name, split in self._splits().items():
            found = self._pass(split, self.views, details=True)
            # The part in the place of the test set is described as that is.
            values |= segmentation_values(found, name)
            if self.scales:
                say(
                    f"The {name} images are seen at {len(self.scales)} scales, each mirrored as "
                    "well."
                )
                several = replace(self.views, scales=self.scales, flip=True)
                more = self._pass(split, several, boundary=True)
                values |= segmentation_values(more, name, suffix=MULTISCALE)
            if name == "test":
                records |= _records(found)
        return Ended(Found(values, records), {})

    def estimate(self, recipe: Recipe) -> Estimate:
        """What measuring takes, from a few images of the test set."""
        images = sum(len(split) for split in self._splits().values())
        # Work grows with an image's area.
        passes = recipe.epochs + 1 + 2 * sum(scale**2 for scale in self.scales)
        # Boundaries are looked at in the passes at the end.
        with_boundary = 2 if self.scales else 1
        predicting, boundary = self._seconds_an_image()
        seconds = predicting + boundary * with_boundary / passes
        return Estimate(round(images * passes), seconds, 0)

    @torch.inference_mode()
    def _seconds_an_image(self) -> tuple[float, float]:
        """What predicting an image takes, and then what its boundaries do."""
        self.model.eval()
        device = self.execution.device
        predicting, boundary = [], []
        for _, pixels, labels in itertools.islice(self.data.test.items(), _TRIED):
            start = time.perf_counter()
            image = self.normalization(pixels.unsqueeze(0).to(device))[0]
            with self.execution.autocast():
                predicted = self.views.predicted(self.model, image)
            predicted.sum().item()  # waits for the device
            predicting.append(time.perf_counter() - start)
            start = time.perf_counter()
            truth = labels.to(device)
            present = torch.cat([each[truth != VOID] for each in (predicted, truth)]).unique()
            if len(present):
                boundary_counts(predicted, truth, present)
            boundary.append(time.perf_counter() - start)
        return min(predicting), min(boundary)

    def _splits(self) -> Mapping[SplitName, MaskSplit]:
        """The parts that are measured.

        Raises:
            ValueError: It is to be measured on a validation part, and there is none.
        """
        found: dict[SplitName, MaskSplit] = {}
        if self.data.validation is not None:
            found["validation"] = self.data.validation
        elif self.measured_on == "validation":
            raise ValueError(
                "The data has no validation part to measure on; --validation 0.2 holds out a fifth "
                "of the training images."
            )
        return found | ({"test": self.data.test} if self.measured_on == "test" else {})

    def _pass(
        self, split: MaskSplit, views: Views, *, details: bool = False, boundary: bool = False
    ) -> SegmentationFound:
        return segmentation_pass(
            self.model,
            split,
            self.normalization,
            self.execution,
            len(self.data.classes),
            views,
            boundary=boundary or details,
            shown=details,
        )


def _records(found: SegmentationFound) -> dict[str, Tensor]:
    records = {MATRIX: found.matrix}
    if found.by_image.numel() <= _MOST_BY_IMAGE:
        records[BY_IMAGE] = found.by_image.int()
    if found.boundary is not None:
        records[BOUNDARY] = found.boundary
    return records | {f"{SHOWN}{number}": mask for number, mask in found.shown.items()}
