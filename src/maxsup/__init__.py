"""MaxSup in place of label smoothing, in one line; and an honest comparison on your own data.

``import maxsup`` needs torch and nothing else. The rooms above (measures, data, training, studies,
the page) come with ``pip install "maxsup[lab]"`` and are loaded when they are first used.
"""

import importlib
from types import ModuleType

from maxsup import functional, losses, methods, schedules
from maxsup._version import __version__
from maxsup.losses import (
    ACLSLoss,
    ConfidencePenaltyLoss,
    CrossEntropyLoss,
    DualFocalLoss,
    FocalLoss,
    LabelSmoothingLoss,
    LinearLabelSmoothingLoss,
    LinearMaxSupLoss,
    LogitNormalizationLoss,
    LogitPenaltyLoss,
    MarginLabelSmoothingLoss,
    MaxSupLoss,
    OnlineLabelSmoothingLoss,
    Poly1Loss,
    ZipfLabelSmoothingLoss,
)

__all__ = [
    "ACLSLoss",
    "ConfidencePenaltyLoss",
    "CrossEntropyLoss",
    "DualFocalLoss",
    "FocalLoss",
    "LabelSmoothingLoss",
    "LinearLabelSmoothingLoss",
    "LinearMaxSupLoss",
    "LogitNormalizationLoss",
    "LogitPenaltyLoss",
    "MarginLabelSmoothingLoss",
    "MaxSupLoss",
    "OnlineLabelSmoothingLoss",
    "Poly1Loss",
    "ZipfLabelSmoothingLoss",
    "__version__",
    "functional",
    "losses",
    "methods",
    "schedules",
]

_LAB = ("data", "figures", "measures", "models", "recipes", "report", "study", "training")


def __getattr__(name: str) -> ModuleType:
    if name not in _LAB:
        raise AttributeError(f"module 'maxsup' has no attribute {name!r}")
    try:
        return importlib.import_module(f"maxsup.{name}")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("maxsup"):
            raise
        raise ModuleNotFoundError(
            f"maxsup.{name} needs {error.name}, which is not installed: "
            'pip install "maxsup[lab]" brings it.',
            name=error.name,
        ) from error


def __dir__() -> list[str]:
    return sorted([*__all__, *_LAB])
