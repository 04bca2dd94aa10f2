"""The objectives as pure functions of logits and target."""

from maxsup.losses._acls import acls_loss
from maxsup.losses._confidence_penalty import confidence_penalty_loss
from maxsup.losses._cross_entropy import cross_entropy_loss
from maxsup.losses._distillation import distillation_loss
from maxsup.losses._dual_focal import dual_focal_loss
from maxsup.losses._focal import focal_loss
from maxsup.losses._label_smoothing import label_smoothing_loss
from maxsup.losses._label_smoothing_terms import (
    LabelSmoothingTerms,
    label_smoothing_terms,
    ls_error_enhancement_loss,
    ls_error_enhancement_top1_loss,
    ls_regularization_loss,
)
from maxsup.losses._linear_losses import linear_label_smoothing_loss, linear_maxsup_loss
from maxsup.losses._logit_normalization import logit_normalization_loss
from maxsup.losses._logit_penalty import logit_penalty_loss
from maxsup.losses._margin_label_smoothing import margin_label_smoothing_loss
from maxsup.losses._maxsup import maxsup_loss
from maxsup.losses._online_label_smoothing import online_label_smoothing_loss
from maxsup.losses._poly1 import poly1_loss
from maxsup.losses._zipf_label_smoothing import dense_votes, zipf_label_smoothing_loss

__all__ = [
    "LabelSmoothingTerms",
    "acls_loss",
    "confidence_penalty_loss",
    "cross_entropy_loss",
    "dense_votes",
    "distillation_loss",
    "dual_focal_loss",
    "focal_loss",
    "label_smoothing_loss",
    "label_smoothing_terms",
    "linear_label_smoothing_loss",
    "linear_maxsup_loss",
    "logit_normalization_loss",
    "logit_penalty_loss",
    "ls_error_enhancement_loss",
    "ls_error_enhancement_top1_loss",
    "ls_regularization_loss",
    "margin_label_smoothing_loss",
    "maxsup_loss",
    "online_label_smoothing_loss",
    "poly1_loss",
    "zipf_label_smoothing_loss",
]
