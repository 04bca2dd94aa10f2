"""Calibration over bins of the confidence."""

import torch

from maxsup.evaluation._measure import Accumulation, Measure, Record
from maxsup.measures import Calibration

_BINS = Accumulation(
    build=lambda sizes: Calibration(),
    update=lambda metric, outputs: metric.update(outputs.logits, outputs.true_labels),
)

ECE = Measure(
    name="ece",
    label="ECE",
    help="expected calibration error: mean distance of accuracy from confidence over 15 equal bins "
    "of the confidence, weighted by their samples, over the whole {split} set at once",
    better="lower",
    headline=True,
    percent=True,
    digits=2,
    accumulation=_BINS,
    value=lambda found: found.ece,
)
RELIABILITY = Record(
    name="reliability",
    splits=("test",),
    accumulation=_BINS,
    value=lambda found: torch.stack([found.samples.double(), found.confidence, found.accuracy]),
)
"""(3, 15) float64: samples, mean confidence and accuracy of each bin; 0 in an empty one."""
