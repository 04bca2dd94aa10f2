"""Calibration: how well the confidence agrees with the accuracy."""

import torch

from maxsup.evaluation._measure import Accumulation, Measure, Record
from maxsup.measures import Calibration, ClasswiseCalibration, StoredCalibration

_BINS = Accumulation(
    build=lambda context: Calibration(),
    update=lambda metric, outputs: metric.update(outputs.logits, outputs.true_labels),
)
_STORED = Accumulation(
    build=lambda context: StoredCalibration(),
    update=lambda metric, outputs: metric.update(outputs.logits, outputs.true_labels),
)

ECE = Measure(
    name="ece",
    label="ECE",
    help="expected calibration error: mean distance of accuracy from confidence over 15 equal bins "
    "of the confidence, weighted by their samples, over the whole {split} set at once",
    better="lower",
    percent=True,
    digits=2,
    accumulation=_BINS,
    value=lambda found: found.ece,
)
OVERCONFIDENCE = Measure(
    name="overconfidence",
    label="Over-confidence",
    help="the part of the ECE from bins whose confidence lies above their accuracy, on the {split} "
    "set",
    better="lower",
    detail=True,
    percent=True,
    digits=2,
    accumulation=_BINS,
    value=lambda found: found.overconfidence,
)
UNDERCONFIDENCE = Measure(
    name="underconfidence",
    label="Under-confidence",
    help="the part of the ECE from bins whose confidence lies below their accuracy, on the {split} "
    "set; over- and under-confidence add up to the ECE",
    better="lower",
    detail=True,
    percent=True,
    digits=2,
    accumulation=_BINS,
    value=lambda found: found.underconfidence,
)
EQUAL_MASS = Measure(
    name="ece_equal_mass",
    label="ECE, equal mass",
    help="the ECE over 15 bins that hold equally many {split} samples each",
    better="lower",
    detail=True,
    percent=True,
    digits=2,
    accumulation=_STORED,
    value=lambda found: found.equal_mass,
)
SMOOTH = Measure(
    name="ece_smooth",
    label="ECE, smooth",
    help="the calibration error without bins: the distance of accuracy from confidence smoothed by "
    "a Gaussian kernel that is reflected at 0 and 1, with the error itself as bandwidth (smECE), "
    "on the {split} set",
    better="lower",
    detail=True,
    percent=True,
    digits=2,
    accumulation=_STORED,
    value=lambda found: found.smooth,
)
CLASSWISE = Measure(
    name="ece_classwise",
    label="ECE, classwise",
    help="the calibration error of every class's probability, predicted or not, over 15 equal "
    "bins, as the mean over the classes, on the {split} set",
    better="lower",
    detail=True,
    percent=True,
    digits=3,
    accumulation=Accumulation(
        build=lambda context: ClasswiseCalibration(context.num_classes),
        update=lambda metric, outputs: metric.update(outputs.logits, outputs.true_labels),
    ),
    value=lambda found: found,
)
RELIABILITY = Record(
    name="reliability",
    splits=("test",),
    accumulation=_BINS,
    value=lambda found: torch.stack([found.samples.double(), found.confidence, found.accuracy]),
)
"""(3, 15) float64: samples, mean confidence and accuracy of each bin; 0 in an empty one."""
