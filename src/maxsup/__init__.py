"""MaxSup in place of label smoothing, in one line; and an honest comparison on your own data.

``import maxsup`` needs torch and nothing else, and loads it with the first objective that is used.
The rooms above (measures, data, training, studies, the page) come with
``pip install "maxsup[lab]"`` and are loaded when they are first used, too.
"""

from typing import TYPE_CHECKING

from maxsup._lazy import lazy_names
from maxsup._version import __version__

if TYPE_CHECKING:
    from maxsup import data as data
    from maxsup import evaluation as evaluation
    from maxsup import figures as figures
    from maxsup import functional as functional
    from maxsup import losses as losses
    from maxsup import measures as measures
    from maxsup import methods as methods
    from maxsup import models as models
    from maxsup import recipes as recipes
    from maxsup import report as report
    from maxsup import results as results
    from maxsup import schedules as schedules
    from maxsup import statistics as statistics
    from maxsup import study as study
    from maxsup import training as training
    from maxsup.losses import ACLSLoss as ACLSLoss
    from maxsup.losses import ConfidencePenaltyLoss as ConfidencePenaltyLoss
    from maxsup.losses import CrossEntropyLoss as CrossEntropyLoss
    from maxsup.losses import DualFocalLoss as DualFocalLoss
    from maxsup.losses import FocalLoss as FocalLoss
    from maxsup.losses import LabelSmoothingLoss as LabelSmoothingLoss
    from maxsup.losses import LinearLabelSmoothingLoss as LinearLabelSmoothingLoss
    from maxsup.losses import LinearMaxSupLoss as LinearMaxSupLoss
    from maxsup.losses import LogitNormalizationLoss as LogitNormalizationLoss
    from maxsup.losses import LogitPenaltyLoss as LogitPenaltyLoss
    from maxsup.losses import MarginLabelSmoothingLoss as MarginLabelSmoothingLoss
    from maxsup.losses import MaxSupLoss as MaxSupLoss
    from maxsup.losses import OnlineLabelSmoothingLoss as OnlineLabelSmoothingLoss
    from maxsup.losses import Poly1Loss as Poly1Loss
    from maxsup.losses import ZipfLabelSmoothingLoss as ZipfLabelSmoothingLoss

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
    "data",
    "evaluation",
    "figures",
    "functional",
    "losses",
    "measures",
    "methods",
    "models",
    "recipes",
    "report",
    "results",
    "schedules",
    "statistics",
    "study",
    "training",
]

_ROOMS = [name for name in __all__ if name[0].islower()]
_LOSSES = [name for name in __all__ if name.endswith("Loss")]

__getattr__ = lazy_names(__name__, _ROOMS, {"losses": _LOSSES})


def __dir__() -> list[str]:
    return __all__
