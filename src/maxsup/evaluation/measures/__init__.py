"""All that is reported of a trained model, in the order of the table."""

from maxsup.evaluation._measure import Measure, Record
from maxsup.evaluation.measures import (
    calibration,
    classification,
    confusion,
    logits,
    separation,
)

MEASURES: tuple[Measure, ...] = (
    classification.ACCURACY,
    classification.NLL,
    calibration.ECE,
    classification.BRIER,
    classification.CONFIDENCE_WRONG,
    classification.CONFIDENCE_RIGHT,
    separation.D_WITHIN,
    separation.D_TOTAL,
    separation.R2,
    classification.TRAINING_ACCURACY,
)
"""The measures, in the order of the table; the first one is the primary."""

RECORDS: tuple[Record, ...] = (
    calibration.RELIABILITY,
    logits.LOGIT_COUNTS,
    confusion.CONFUSION,
)
"""What pictures are drawn from."""
