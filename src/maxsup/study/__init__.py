"""Methods × strengths × seeds on the same data with the same starts, and what the numbers say.

:func:`record` needs numpy alone, so that a loop without torch can call it; all else is loaded when
it is first used.
"""

from typing import TYPE_CHECKING

from maxsup._lazy import lazy_names

if TYPE_CHECKING:
    from maxsup.study._backbones import find_backbones as find_backbones
    from maxsup.study._backbones import weights_of as weights_of
    from maxsup.study._backbones import with_backbones as with_backbones
    from maxsup.study._compare import compare as compare
    from maxsup.study._compare_script import compare_script as compare_script
    from maxsup.study._images import image_evidence as image_evidence
    from maxsup.study._predictions import compare_predictions as compare_predictions
    from maxsup.study._ray import RayCluster as RayCluster
    from maxsup.study._record import record as record
    from maxsup.study._record import save_predictions as save_predictions
    from maxsup.study._script_study import ScriptStudy as ScriptStudy
    from maxsup.study._segmentation import kept_image_evidence as kept_image_evidence
    from maxsup.study._settings import StudySettings as StudySettings
    from maxsup.study._teachers import with_teachers as with_teachers
    from maxsup.study._trials import trainings_of as trainings_of
    from maxsup.study._tuning import TuningSettings as TuningSettings

__all__ = [
    "RayCluster",
    "ScriptStudy",
    "StudySettings",
    "TuningSettings",
    "compare",
    "compare_predictions",
    "compare_script",
    "find_backbones",
    "image_evidence",
    "kept_image_evidence",
    "record",
    "save_predictions",
    "trainings_of",
    "weights_of",
    "with_backbones",
    "with_teachers",
]

__getattr__ = lazy_names(
    __name__,
    [],
    {
        "_backbones": ["find_backbones", "weights_of", "with_backbones"],
        "_compare": ["compare"],
        "_compare_script": ["compare_script"],
        "_images": ["image_evidence"],
        "_predictions": ["compare_predictions"],
        "_ray": ["RayCluster"],
        "_record": ["record", "save_predictions"],
        "_script_study": ["ScriptStudy"],
        "_segmentation": ["kept_image_evidence"],
        "_settings": ["StudySettings"],
        "_teachers": ["with_teachers"],
        "_trials": ["trainings_of"],
        "_tuning": ["TuningSettings"],
    },
)


def __dir__() -> list[str]:
    return __all__
