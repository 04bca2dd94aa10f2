"""All that is reported of a trained model, in the order of the table."""

from maxsup.evaluation._measure import Measure, Record
from maxsup.evaluation.measures import (
    calibration,
    classification,
    confusion,
    logits,
    selective,
    separation,
    temperature,
)

MEASURES: tuple[Measure, ...] = (
    classification.ACCURACY,
    classification.NLL,
    calibration.ECE,
    calibration.OVERCONFIDENCE,
    calibration.UNDERCONFIDENCE,
    calibration.EQUAL_MASS,
    calibration.SMOOTH,
    calibration.CLASSWISE,
    classification.BRIER,
    temperature.USED,
    temperature.NLL_SCALED,
    temperature.ECE_SCALED,
    temperature.OVERCONFIDENCE_SCALED,
    temperature.UNDERCONFIDENCE_SCALED,
    temperature.EQUAL_MASS_SCALED,
    temperature.SMOOTH_SCALED,
    temperature.CLASSWISE_SCALED,
    temperature.BRIER_SCALED,
    selective.AURC,
    selective.AUGRC,
    selective.AUROC,
    selective.COVERAGE_1,
    selective.COVERAGE_5,
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
    selective.RISK_COVERAGE,
    temperature.TEMPERATURE,
    confusion.CONFUSION,
)
"""What pictures are drawn from."""
