"""Methods × seeds on the same data with the same starts, and what the numbers say."""

from maxsup.study._compare import compare
from maxsup.study._images import image_evidence
from maxsup.study._ray import RayCluster
from maxsup.study._settings import StudySettings

__all__ = ["RayCluster", "StudySettings", "compare", "image_evidence"]
