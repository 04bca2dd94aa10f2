"""The objectives as modules, each a drop-in for :class:`torch.nn.CrossEntropyLoss`."""

from maxsup.losses._confidence_penalty import ConfidencePenaltyLoss
from maxsup.losses._cross_entropy import CrossEntropyLoss
from maxsup.losses._label_smoothing import LabelSmoothingLoss
from maxsup.losses._label_smoothing_terms import (
    LSErrorEnhancementLoss,
    LSErrorEnhancementTop1Loss,
    LSRegularizationLoss,
)
from maxsup.losses._logit_penalty import LogitPenaltyLoss
from maxsup.losses._loss import Loss
from maxsup.losses._maxsup import MaxSupLoss

__all__ = [
    "ConfidencePenaltyLoss",
    "CrossEntropyLoss",
    "LSErrorEnhancementLoss",
    "LSErrorEnhancementTop1Loss",
    "LSRegularizationLoss",
    "LabelSmoothingLoss",
    "LogitPenaltyLoss",
    "Loss",
    "MaxSupLoss",
]
