"""The sections of an inspection's page, a file each with its template, in their order."""

from typing import TYPE_CHECKING

from maxsup.report._section import Section
from maxsup.report.inspection.collapse import COLLAPSE
from maxsup.report.inspection.confidence import CONFIDENCE
from maxsup.report.inspection.convergence import CONVERGENCE
from maxsup.report.inspection.corruptions import CORRUPTIONS
from maxsup.report.inspection.grad_cam import GRAD_CAM
from maxsup.report.inspection.localization import LOCALIZATION
from maxsup.report.inspection.logits import LOGITS
from maxsup.report.inspection.models import MODELS
from maxsup.report.inspection.ood import OOD
from maxsup.report.inspection.overview import OVERVIEW
from maxsup.report.inspection.probe import PROBE
from maxsup.report.inspection.projection import PROJECTION
from maxsup.report.inspection.separation import SEPARATION

if TYPE_CHECKING:
    from maxsup.inspection.schema import Inspection

INSPECTION_PAGE: "tuple[Section[Inspection], ...]" = (
    OVERVIEW,
    CONFIDENCE,
    LOGITS,
    SEPARATION,
    COLLAPSE,
    CONVERGENCE,
    PROBE,
    PROJECTION,
    CORRUPTIONS,
    OOD,
    GRAD_CAM,
    LOCALIZATION,
    MODELS,
)

__all__ = ["INSPECTION_PAGE"]
