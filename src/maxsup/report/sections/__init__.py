"""The sections of a study's page, a file each with its template, in the order of the page."""

from maxsup.report.sections._shared import StudySection
from maxsup.report.sections.calibration import CALIBRATION
from maxsup.report.sections.classes import CLASSES
from maxsup.report.sections.curves import CURVES
from maxsup.report.sections.features import FEATURES
from maxsup.report.sections.images import IMAGES
from maxsup.report.sections.logits import LOGITS
from maxsup.report.sections.measured import MEASURED
from maxsup.report.sections.mechanism import MECHANISM
from maxsup.report.sections.reliability import RELIABILITY
from maxsup.report.sections.repeat import REPEAT
from maxsup.report.sections.seeds import SEEDS
from maxsup.report.sections.segmentation import SEGMENTATION
from maxsup.report.sections.selective import SELECTIVE
from maxsup.report.sections.settings import SETTINGS
from maxsup.report.sections.table import TABLE
from maxsup.report.sections.tuning import TUNING
from maxsup.report.sections.verdict import render_verdict

STUDY_PAGE: tuple[StudySection, ...] = (
    SEEDS,
    IMAGES,
    TABLE,
    SEGMENTATION,
    CURVES,
    MECHANISM,
    RELIABILITY,
    CALIBRATION,
    SELECTIVE,
    CLASSES,
    LOGITS,
    FEATURES,
    MEASURED,
    TUNING,
    SETTINGS,
    REPEAT,
)
"""The sections; the verdict stands above them, in the page's header."""

__all__ = ["STUDY_PAGE", "render_verdict"]
