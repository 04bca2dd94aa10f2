"""The objectives as modules, each a drop-in for :class:`torch.nn.CrossEntropyLoss`.

:mod:`maxsup.losses.toolkit` has what one's own objective is made of; :func:`backend` names what
computes the numbers of the logits.
"""

import warnings

import torch

from maxsup.losses import toolkit
from maxsup.losses._acls import ACLSLoss
from maxsup.losses._confidence_penalty import ConfidencePenaltyLoss
from maxsup.losses._cross_entropy import CrossEntropyLoss
from maxsup.losses._dual_focal import DualFocalLoss
from maxsup.losses._focal import FocalLoss
from maxsup.losses._label_smoothing import LabelSmoothingLoss
from maxsup.losses._label_smoothing_terms import (
    LSErrorEnhancementLoss,
    LSErrorEnhancementTop1Loss,
    LSRegularizationLoss,
)
from maxsup.losses._linear_losses import LinearLabelSmoothingLoss, LinearMaxSupLoss
from maxsup.losses._logit_normalization import LogitNormalizationLoss
from maxsup.losses._logit_penalty import LogitPenaltyLoss
from maxsup.losses._loss import Loss
from maxsup.losses._margin_label_smoothing import MarginLabelSmoothingLoss
from maxsup.losses._maxsup import MaxSupLoss
from maxsup.losses._online_label_smoothing import OnlineLabelSmoothingLoss
from maxsup.losses._poly1 import Poly1Loss
from maxsup.losses._zipf_label_smoothing import ZipfLabelSmoothingLoss
from maxsup.losses.numbers import backend

# Shapes are checked while torch.jit.trace takes operations down, which must not hold in the trace.
# torch says so of its own checks, too.
warnings.filterwarnings(
    "ignore",
    category=torch.jit.TracerWarning,  # type: ignore[attr-defined]
    module=r"maxsup\.",
)

__all__ = [
    "ACLSLoss",
    "ConfidencePenaltyLoss",
    "CrossEntropyLoss",
    "DualFocalLoss",
    "FocalLoss",
    "LSErrorEnhancementLoss",
    "LSErrorEnhancementTop1Loss",
    "LSRegularizationLoss",
    "LabelSmoothingLoss",
    "LinearLabelSmoothingLoss",
    "LinearMaxSupLoss",
    "LogitNormalizationLoss",
    "LogitPenaltyLoss",
    "Loss",
    "MarginLabelSmoothingLoss",
    "MaxSupLoss",
    "OnlineLabelSmoothingLoss",
    "Poly1Loss",
    "ZipfLabelSmoothingLoss",
    "backend",
    "toolkit",
]
