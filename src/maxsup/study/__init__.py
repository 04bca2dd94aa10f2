"""Methods × seeds on the same data with the same starts, and what the numbers say.

:func:`record` needs numpy alone, so that a loop without torch can call it; all else is loaded when
it is first used.
"""

from typing import TYPE_CHECKING

from maxsup._lazy import lazy_names

if TYPE_CHECKING:
    from maxsup.study._compare import compare as compare
    from maxsup.study._compare_script import compare_script as compare_script
    from maxsup.study._predictions import compare_predictions as compare_predictions
    from maxsup.study._ray import RayCluster as RayCluster
    from maxsup.study._record import record as record
    from maxsup.study._record import save_predictions as save_predictions
    from maxsup.study._script_study import ScriptStudy as ScriptStudy
    from maxsup.study._settings import StudySettings as StudySettings

__all__ = [
    "RayCluster",
    "ScriptStudy",
    "StudySettings",
    "compare",
    "compare_predictions",
    "compare_script",
    "record",
    "save_predictions",
]

__getattr__ = lazy_names(
    __name__,
    [],
    {
        "_compare": ["compare"],
        "_compare_script": ["compare_script"],
        "_predictions": ["compare_predictions"],
        "_ray": ["RayCluster"],
        "_record": ["record", "save_predictions"],
        "_script_study": ["ScriptStudy"],
        "_settings": ["StudySettings"],
    },
)


def __dir__() -> list[str]:
    return __all__
