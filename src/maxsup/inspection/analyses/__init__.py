"""The analyses of an inspection, a file each, in the order in which they are made."""

from maxsup.inspection._analysis import Analysis
from maxsup.inspection.analyses.confidence import CONFIDENCE
from maxsup.inspection.analyses.grad_cam import GRAD_CAM
from maxsup.inspection.analyses.localization import LOCALIZATION
from maxsup.inspection.analyses.logits import LOGITS
from maxsup.inspection.analyses.projection import PROJECTION

ANALYSES: tuple[Analysis, ...] = (
    CONFIDENCE,
    LOGITS,
    PROJECTION,
    GRAD_CAM,
    LOCALIZATION,
)
