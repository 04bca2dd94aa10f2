"""What the objectives are to each other, and to torch's cross-entropy."""

import pytest
import torch
from torch.nn import functional as F

from maxsup.functional import (
    cross_entropy_loss,
    label_smoothing_loss,
    label_smoothing_terms,
    ls_error_enhancement_top1_loss,
    margin_label_smoothing_loss,
    maxsup_loss,
)

from .cases import IGNORE, LOGIT_PENALTY, every_loss, every_objective, make, one_hot

ALPHA = 0.3
REDUCTIONS = ("none", "mean", "sum")
SHAPES = [(6, 5), (1, 5), (6, 1), (6, 2), (2, 5, 3), (2, 5, 2, 3), (5,)]


def gradient(function, logits, *args, **options):
    logits = logits.detach().clone().requires_grad_()
    return torch.autograd.grad(function(logits, *args, **options).sum(), logits)[0]


def assert_same_function(ours, theirs, logits):
    """Equal values and equal gradients; ``ours`` and ``theirs`` take logits alone."""
    torch.testing.assert_close(ours(logits), theirs(logits))
    torch.testing.assert_close(gradient(ours, logits), gradient(theirs, logits))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("alpha", [0.0, 0.1, 1.0])
def test_label_smoothing_of_labels_is_torch_s(shape, reduction, alpha):
    for kind in ("index", "ignored"):
        logits, labels, weight = make(shape, kind)
        if kind == "ignored" and bool((labels == IGNORE).all()):
            labels = torch.zeros_like(labels)
        for of_classes in (None, weight):
            options = {"weight": of_classes, "reduction": reduction}
            assert_same_function(
                lambda z: label_smoothing_loss(z, labels, alpha, **options),  # noqa: B023
                lambda z: F.cross_entropy(z, labels, label_smoothing=alpha, **options),  # noqa: B023
                logits,
            )


@pytest.mark.parametrize("ignore_index", [255, -1, 0])
def test_label_smoothing_ignores_as_torch_does(ignore_index):
    logits, labels, weight = make((6, 5))
    labels[[1, 4]] = ignore_index
    for of_classes in (None, weight):
        options = {"weight": of_classes, "ignore_index": ignore_index}
        torch.testing.assert_close(
            label_smoothing_loss(logits, labels, ALPHA, **options),
            F.cross_entropy(logits, labels, label_smoothing=ALPHA, **options),
        )


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_cross_entropy_of_labels_is_torch_s(shape, reduction):
    logits, labels, weight = make(shape)
    for of_classes in (None, weight):
        options = {"weight": of_classes, "reduction": reduction}
        assert_same_function(
            lambda z: cross_entropy_loss(z, labels, **options),  # noqa: B023
            lambda z: F.cross_entropy(z, labels, **options),  # noqa: B023
            logits,
        )


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_cross_entropy_of_soft_targets_without_weights_is_torch_s(shape, reduction):
    logits, target, _ = make(shape, "soft")
    options = {"reduction": reduction}
    assert_same_function(
        lambda z: cross_entropy_loss(z, target, **options),
        lambda z: F.cross_entropy(z, target, **options),
        logits,
    )
    assert_same_function(
        lambda z: label_smoothing_loss(z, target, ALPHA, **options),
        lambda z: F.cross_entropy(z, target, label_smoothing=ALPHA, **options),
        logits,
    )


def test_cross_entropy_of_weighted_one_hot_is_where_torch_and_this_package_part():
    logits, labels, weight = make((6, 5))
    target = one_hot(labels, 5, torch.float64)
    by_torch = F.cross_entropy(logits, target, weight=weight)
    assert not torch.isclose(by_torch, F.cross_entropy(logits, labels, weight=weight))
    torch.testing.assert_close(
        cross_entropy_loss(logits, target, weight=weight),
        F.cross_entropy(logits, labels, weight=weight),
    )


def test_label_smoothing_is_cross_entropy_plus_the_true_logit_over_the_mean():
    """Theorem 3.3."""
    logits, labels, _ = make((6, 5))
    penalty = ALPHA * (logits.gather(1, labels[:, None])[:, 0] - logits.mean(1))
    torch.testing.assert_close(
        label_smoothing_loss(logits, labels, ALPHA, reduction="none"),
        F.cross_entropy(logits, labels, reduction="none") + penalty,
    )


@pytest.mark.parametrize("kind", ["index", "ignored", "soft"])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_label_smoothing_terms_add_up_to_label_smoothing(kind, reduction):
    """Corollary 3.4; with soft targets, Equation 40."""
    logits, target, _ = make((6, 5), kind)
    options = {"reduction": reduction}
    assert_same_function(
        lambda z: (
            cross_entropy_loss(z, target, **options)
            + sum(label_smoothing_terms(z, target, ALPHA, **options))
        ),
        lambda z: label_smoothing_loss(z, target, ALPHA, **options),
        logits,
    )


def test_label_smoothing_terms_have_opposite_signs():
    logits, labels, _ = make((50, 5))
    terms = label_smoothing_terms(logits, labels, ALPHA, reduction="none")
    right = logits.argmax(1) == labels
    assert bool((terms.regularization >= 0).all())
    assert bool((terms.error_enhancement <= 0).all())
    assert torch.equal(terms.error_enhancement == 0, right)
    lowest = logits.argmin(1) == labels
    assert torch.equal(terms.regularization == 0, lowest)
    assert bool(right.any())
    assert bool(lowest.any())


def test_label_smoothing_of_mixed_targets():
    """Equation 40."""
    logits, _, _ = make((6, 5))
    first, second = torch.arange(6) % 5, (torch.arange(6) + 2) % 5
    fraction = torch.linspace(0, 1, 6, dtype=torch.float64)
    target = torch.zeros_like(logits)
    target[torch.arange(6), first] += fraction
    target[torch.arange(6), second] += 1 - fraction
    of_first = logits.gather(1, first[:, None])[:, 0]
    of_second = logits.gather(1, second[:, None])[:, 0]
    penalty = ALPHA * (fraction * of_first + (1 - fraction) * of_second - logits.mean(1))
    torch.testing.assert_close(
        label_smoothing_loss(logits, target, ALPHA, reduction="none"),
        F.cross_entropy(logits, target, reduction="none") + penalty,
    )


@pytest.mark.parametrize("kind", ["index", "soft"])
def test_maxsup_is_cross_entropy_plus_the_top_logit_over_the_mean(kind):
    """Equation 8; with mixed targets the penalty is the same."""
    logits, target, _ = make((6, 5, 2), kind)
    assert_same_function(
        lambda z: maxsup_loss(z, target, ALPHA, reduction="none"),
        lambda z: (
            F.cross_entropy(z, target, reduction="none")
            + ALPHA * (z.max(dim=1).values - z.mean(dim=1))
        ),
        logits,
    )


def test_maxsup_is_cross_entropy_against_a_target_of_its_own():
    logits, labels, _ = make((6, 5))
    own = one_hot(labels, 5) + ALPHA / 5 - ALPHA * one_hot(logits.argmax(1), 5)
    torch.testing.assert_close(own.sum(1), torch.ones(6))
    assert_same_function(
        lambda z: maxsup_loss(z, labels, ALPHA),
        lambda z: F.cross_entropy(z, own.double()),
        logits,
    )


def test_maxsup_s_gradient():
    """Equation 9, and with cross-entropy's: q − y − α/K + α·1{k = argmax}."""
    logits, labels, _ = make((6, 5))
    found = gradient(maxsup_loss, logits, labels, ALPHA, reduction="sum")
    expected = (
        logits.softmax(1) - one_hot(labels, 5) - ALPHA / 5 + ALPHA * one_hot(logits.argmax(1), 5)
    )
    torch.testing.assert_close(found, expected)


def test_maxsup_is_label_smoothing_where_the_model_is_right_and_only_there():
    logits, labels, _ = make((50, 5))
    right = logits.argmax(1) == labels
    ours = maxsup_loss(logits, labels, ALPHA, reduction="none")
    smoothed = label_smoothing_loss(logits, labels, ALPHA, reduction="none")
    torch.testing.assert_close(ours[right], smoothed[right])
    assert bool((ours[~right] > smoothed[~right]).all())
    assert bool(right.any())
    assert not bool(right.all())


@pytest.mark.parametrize("kind", ["index", "soft"])
def test_label_smoothing_less_maxsup_is_the_top_1_error_enhancement(kind):
    logits, target, _ = make((6, 5), kind)
    assert_same_function(
        lambda z: (
            label_smoothing_loss(z, target, ALPHA, reduction="none")
            - maxsup_loss(z, target, ALPHA, reduction="none")
        ),
        lambda z: (
            ls_error_enhancement_top1_loss(z, target, ALPHA, reduction="none")
            - cross_entropy_loss(z, target, reduction="none")
        ),
        logits,
    )


def test_maxsup_is_margin_based_label_smoothing_without_a_margin():
    """Liu et al. 2022: α times the mean of relu(z_max − z_k − m), here with m = 0."""
    logits, labels, _ = make((6, 5))
    assert_same_function(
        lambda z: maxsup_loss(z, labels, ALPHA),
        lambda z: (
            F.cross_entropy(z, labels) + ALPHA * (z.max(1, keepdim=True).values - z).relu().mean()
        ),
        logits,
    )


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("kind", ["index", "ignored", "soft"])
def test_margin_label_smoothing_without_a_margin_is_maxsup(kind, shape):
    logits, target, weight = make(shape, kind)
    logits = logits.round()  # often several are the largest
    for margin in (0, 0.0, torch.tensor(0.0)):
        assert_same_function(
            lambda z: maxsup_loss(z, target, ALPHA, weight=weight),
            lambda z: margin_label_smoothing_loss(z, target, ALPHA, margin, weight=weight),  # noqa: B023
            logits,
        )


@pytest.mark.parametrize("fraction", [0.5, 0.6, 0.64, 0.66, 0.8, 1.0])
def test_maxsup_ties_an_almost_even_mixture(fraction):
    # The loss of logits (d, 0) is least at d = 0 exactly where |2λ − 1| <= α.
    steps = torch.linspace(-4, 4, 8001, dtype=torch.float64)
    logits = torch.stack([steps, torch.zeros_like(steps)], dim=1)
    target = torch.tensor([fraction, 1 - fraction], dtype=torch.float64).expand_as(logits)
    best = steps[maxsup_loss(logits, target, ALPHA, reduction="none").argmin()]
    assert (abs(float(best)) < 5e-4) == (abs(2 * fraction - 1) <= ALPHA)


@every_objective
def test_objective_sees_a_common_offset_if_it_says_so(objective):
    logits, labels, _ = make((6, 5))
    moved = objective(logits + 7.0, labels, ALPHA, reduction="none")
    stayed = objective(logits, labels, ALPHA, reduction="none")
    if objective is LOGIT_PENALTY:
        added = ((logits + 7.0).square() - logits.square()).sum(1) * ALPHA / 2
        torch.testing.assert_close(moved, stayed + added)
    elif objective.shifts:
        assert not bool(torch.isclose(moved, stayed).any())
    else:
        torch.testing.assert_close(moved, stayed)


@every_objective
def test_objective_is_the_same_of_renumbered_classes(objective):
    logits, labels, weight = make((6, 5))
    order = torch.tensor([3, 0, 4, 1, 2])
    index = order.argsort()
    torch.testing.assert_close(
        objective(logits[:, order], index[labels], ALPHA, weight=weight[order]),
        objective(logits, labels, ALPHA, weight=weight),
    )


@every_loss
def test_objective_s_mean_is_its_sum_over_the_weights(objective):
    logits, labels, weight = make((6, 5, 2), "ignored")
    of_positions = weight[labels.clamp(min=0)] * (labels != IGNORE)
    torch.testing.assert_close(
        objective(logits, labels, ALPHA, weight=weight),
        objective(logits, labels, ALPHA, weight=weight, reduction="sum") / of_positions.sum(),
    )
