"""The analyses of an inspection, a file each, in the order in which they are made."""

from maxsup.inspection._analysis import Analysis
from maxsup.inspection.analyses.collapse import COLLAPSE
from maxsup.inspection.analyses.confidence import CONFIDENCE
from maxsup.inspection.analyses.convergence import CONVERGENCE
from maxsup.inspection.analyses.corruptions import CORRUPTIONS
from maxsup.inspection.analyses.grad_cam import GRAD_CAM
from maxsup.inspection.analyses.localization import LOCALIZATION
from maxsup.inspection.analyses.logits import LOGITS
from maxsup.inspection.analyses.ood import OOD
from maxsup.inspection.analyses.probe import FINER, PROBE, TRANSFER
from maxsup.inspection.analyses.projection import PROJECTION
from maxsup.inspection.analyses.separation import SEPARATION

ANALYSES: tuple[Analysis, ...] = (
    CONFIDENCE,
    LOGITS,
    SEPARATION,
    COLLAPSE,
    CONVERGENCE,
    PROBE,
    FINER,
    TRANSFER,
    PROJECTION,
    CORRUPTIONS,
    OOD,
    GRAD_CAM,
    LOCALIZATION,
)
