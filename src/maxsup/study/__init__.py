"""Methods × seeds on the same data with the same starts, and what the numbers say."""

from maxsup.study._compare import compare
from maxsup.study._gather import read_results
from maxsup.study._ray import RayCluster
from maxsup.study._settings import StudySettings
from maxsup.study._verdict import decisive_p, holds
from maxsup.study.schema import Results

__all__ = [
    "RayCluster",
    "Results",
    "StudySettings",
    "compare",
    "decisive_p",
    "holds",
    "read_results",
]
