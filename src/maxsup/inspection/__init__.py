"""Trained models side by side: what a regulariser did to them.

:func:`inspect` finds models, runs each over its data once, and feeds what came to the measures of
``measures/`` and the analyses of ``analyses/``.
"""

from typing import TYPE_CHECKING

from maxsup._lazy import lazy_names

if TYPE_CHECKING:
    from maxsup.inspection._analysis import Analysis as Analysis
    from maxsup.inspection._analysis import Findings as Findings
    from maxsup.inspection._analysis import fact as fact
    from maxsup.inspection._beforehand import check_beforehand as check_beforehand
    from maxsup.inspection._file import EPOCHS_FILE as EPOCHS_FILE
    from maxsup.inspection._file import INSPECTION_FILE as INSPECTION_FILE
    from maxsup.inspection._file import TABLE_FILE as TABLE_FILE
    from maxsup.inspection._file import read_inspection as read_inspection
    from maxsup.inspection._file import write_inspection as write_inspection
    from maxsup.inspection._inspect import Plan as Plan
    from maxsup.inspection._inspect import inspect as inspect
    from maxsup.inspection._processes import joined_processes as joined_processes
    from maxsup.inspection._settings import InspectionSettings as InspectionSettings
    from maxsup.inspection._subject import Subject as Subject
    from maxsup.inspection.analyses import ANALYSES as ANALYSES
    from maxsup.inspection.measures import MEASURES as MEASURES
    from maxsup.inspection.schema import Inspection as Inspection

__all__ = [
    "ANALYSES",
    "EPOCHS_FILE",
    "INSPECTION_FILE",
    "MEASURES",
    "TABLE_FILE",
    "Analysis",
    "Findings",
    "Inspection",
    "InspectionSettings",
    "Plan",
    "Subject",
    "check_beforehand",
    "fact",
    "inspect",
    "joined_processes",
    "read_inspection",
    "write_inspection",
]

__getattr__ = lazy_names(
    __name__,
    [],
    {
        "_analysis": ["Analysis", "Findings", "fact"],
        "_beforehand": ["check_beforehand"],
        "_file": [
            "EPOCHS_FILE",
            "INSPECTION_FILE",
            "TABLE_FILE",
            "read_inspection",
            "write_inspection",
        ],
        "_inspect": ["Plan", "inspect"],
        "_processes": ["joined_processes"],
        "_settings": ["InspectionSettings"],
        "_subject": ["Subject"],
        "analyses": ["ANALYSES"],
        "measures": ["MEASURES"],
        "schema": ["Inspection"],
    },
)


def __dir__() -> list[str]:
    return __all__
