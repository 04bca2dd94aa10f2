"""The objectives as pure functions of logits and target."""

from maxsup.losses._confidence_penalty import confidence_penalty_loss
from maxsup.losses._cross_entropy import cross_entropy_loss
from maxsup.losses._label_smoothing import label_smoothing_loss
from maxsup.losses._label_smoothing_terms import (
    LabelSmoothingTerms,
    label_smoothing_terms,
    ls_error_enhancement_loss,
    ls_error_enhancement_top1_loss,
    ls_regularization_loss,
)
from maxsup.losses._logit_penalty import logit_penalty_loss
from maxsup.losses._maxsup import maxsup_loss

__all__ = [
    "LabelSmoothingTerms",
    "confidence_penalty_loss",
    "cross_entropy_loss",
    "label_smoothing_loss",
    "label_smoothing_terms",
    "logit_penalty_loss",
    "ls_error_enhancement_loss",
    "ls_error_enhancement_top1_loss",
    "ls_regularization_loss",
    "maxsup_loss",
]
