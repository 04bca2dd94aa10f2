"""Methods × strengths × seeds on the same data with the same starts, and what the numbers say."""

from maxsup.study._compare import compare
from maxsup.study._images import image_evidence
from maxsup.study._ray import RayCluster
from maxsup.study._settings import StudySettings
from maxsup.study._trials import trainings_of
from maxsup.study._tuning import TuningSettings

__all__ = [
    "RayCluster",
    "StudySettings",
    "TuningSettings",
    "compare",
    "image_evidence",
    "trainings_of",
]
