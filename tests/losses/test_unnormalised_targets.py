"""Targets that do not sum to 1: value and gradient are those of the formula as it stands."""

import pytest
import torch

from maxsup import losses
from maxsup.functional import label_smoothing_terms, online_label_smoothing_loss

from .cases import ACLS, ZIPF, assert_equals_reference, every_objective, every_objective_but, make

TARGETS = {
    "more than 1": lambda soft: 2.5 * soft,
    "less than 1": lambda soft: 0.2 * soft,
    "anything": lambda soft: 2 * torch.rand(soft.shape, generator=torch.Generator()).double(),
    "nothing": lambda soft: 0 * soft,
}
every_target = pytest.mark.parametrize("kind", TARGETS)


@every_target
@every_objective
def test_objective_of_any_target_equals_the_formula(objective, kind):
    for shape in ((4, 5), (5,), (2, 5, 3)):
        logits, soft, weight = make(shape, "soft")
        # An offset that all logits share is part of Σ_k t_k·z_k now.
        logits = logits + 7
        for backend in ("plain", "closed_form", "compiled"):
            for options in ({"reduction": "none"}, {"weight": weight, "reduction": "mean"}):
                with losses.backend(backend):
                    assert_equals_reference(
                        objective, objective.reference, logits, TARGETS[kind](soft), 0.3, **options
                    )


# ACLS holds a part of its formula fixed, and Zipf's law the order of the target's classes.
@every_objective_but(ACLS, ZIPF)
def test_objective_s_gradient_reaches_any_target(objective):
    logits, soft, weight = make((2, 4), "soft")
    target = TARGETS["anything"](soft).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda z, t: objective(z, t, 0.3, weight=weight, reduction="sum"),
        (logits.requires_grad_(), target),
    )


def test_terms_of_any_target_add_up_to_the_penalty():
    logits, soft, _ = make((6, 5), "soft")
    target = TARGETS["anything"](soft)
    terms = label_smoothing_terms(logits, target, 0.3, reduction="none")
    penalty = 0.3 * ((target * logits).sum(1) - logits.mean(1))
    torch.testing.assert_close(terms.regularization + terms.error_enhancement, penalty)


def test_online_label_smoothing_of_any_target_equals_the_formula():
    logits, soft, _ = make((6, 5), "soft")
    soft_labels = make((5, 5), "soft", seed=1)[1]
    target = TARGETS["anything"](soft)
    found = online_label_smoothing_loss(logits, target, soft_labels, 0.3, reduction="none")
    mixed = 0.7 * target + 0.3 * target @ soft_labels
    torch.testing.assert_close(found, -(mixed * logits.log_softmax(1)).sum(1))
