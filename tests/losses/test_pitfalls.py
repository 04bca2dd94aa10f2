"""Mistakes found in published implementations, each written out here and each caught.

Every wrong version agrees with the right one on some inputs. ``shows`` is an input on which they
part; the same check that the package passes there must refuse the wrong version.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from maxsup import functional, losses

from .cases import (
    ACLS,
    CONFIDENCE_PENALTY,
    CROSS_ENTROPY,
    DUAL_FOCAL,
    FOCAL,
    IGNORE,
    LABEL_SMOOTHING,
    LOGIT_NORMALIZATION,
    LOGIT_PENALTY,
    LOSSES,
    LS_ERROR_ENHANCEMENT_TOP1,
    LS_REGULARIZATION,
    MARGIN,
    MAXSUP,
    POLY1,
    ZIPF,
    Objective,
    assert_equals_reference,
    every_penalty,
    make,
    one_hot,
)

COEFFICIENT = 0.3


def weights_on_the_mean(logits, target, alpha, weight=None, reduction="mean"):
    values = F.cross_entropy(logits, target, reduction="none")
    values = values + alpha * (logits.max(1).values - logits.mean(1))
    return (values.mean() * weight[target]).mean()


def maximum_over_the_width(logits, target, alpha, reduction="mean"):
    penalty = logits.max(dim=-1).values.mean(dim=1) - logits.mean(dim=(1, 3))
    return F.cross_entropy(logits, target) + alpha * penalty.mean()


def values_in_a_column(logits, target, alpha, reduction="none"):
    log_q = logits.log_softmax(1)
    true, top = log_q.gather(1, target[:, None]), log_q.max(1, keepdim=True).values
    return -true + alpha * (top - log_q.mean(1, keepdim=True))


def ignored_still_regularised(logits, target, alpha, reduction="mean"):
    penalty = logits.max(1).values - logits.mean(1)
    return F.cross_entropy(logits, target) + alpha * penalty.mean()


def ignored_still_smoothed(logits, target, alpha, reduction="sum"):
    hard = F.cross_entropy(logits, target, reduction="sum")
    return (1 - alpha) * hard - alpha * logits.log_softmax(1).mean(1).sum()


def ignored_in_the_denominator(logits, target, alpha, reduction="mean"):
    return functional.maxsup_loss(logits, target, alpha, reduction="sum") / target.numel()


def one_hot_weighted_class_by_class(logits, target, coefficient, weight=None, reduction="mean"):
    return F.cross_entropy(logits, target, weight=weight)


def summed_in_half_precision(logits, target, alpha, reduction="mean"):
    # What a cumulative float16 sum over the classes comes to.
    mean = logits.cumsum(1)[:, -1] / logits.shape[1]
    return F.cross_entropy(logits.float(), target) + alpha * (logits.max(1).values - mean).mean()


def smoothing_ignored(logits, target, alpha, reduction="mean"):
    return F.cross_entropy(logits, target)


def every_sample_with_every_other(logits, target, alpha, reduction="mean"):
    true = logits.gather(1, target[:, None])
    gaps = (true.unsqueeze(0) - logits.unsqueeze(1)).relu()  # (B, B, K)
    means = gaps.sum(2) / gaps.count_nonzero(2).clamp(min=1)
    return F.cross_entropy(logits, target) + alpha * means.mean()


def smoothing_shared_by_the_wrong_classes(logits, target, alpha, reduction="mean"):
    smoothed = torch.full_like(logits, alpha / (logits.shape[1] - 1))
    return F.cross_entropy(logits, smoothed.scatter(1, target[:, None], 1 - alpha))


def entropy_averaged_over_classes(logits, target, beta, reduction="mean"):
    log_q = logits.log_softmax(1)
    return F.cross_entropy(logits, target) + beta * (log_q.exp() * log_q).mean()


def squares_averaged_over_classes(logits, target, beta, reduction="mean"):
    return F.cross_entropy(logits, target) + beta / 2 * logits.square().mean()


def cross_entropy_scaled_down(logits, target, alpha, reduction="mean"):
    penalty = logits.max(1).values - logits.mean(1)
    return (1 - alpha) * F.cross_entropy(logits, target) + alpha * penalty.mean()


def tied_logits_share_the_penalty(logits, target, alpha, reduction="mean"):
    return F.cross_entropy(logits, target) + alpha * (logits.amax(1) - logits.mean(1)).mean()


def top_class_without_the_true_one(logits, target, alpha, reduction="mean"):
    wrong = logits.masked_fill(one_hot(target, logits.shape[1]).bool(), -torch.inf)
    true = logits.gather(1, target[:, None])[:, 0]
    return F.cross_entropy(logits, target) + alpha * (true - wrong.max(1).values).mean()


def not_renormalised(logits, target, alpha, reduction="mean"):
    ranks = logits.argsort(1, descending=True).argsort(1) + 1
    fraction = 1 / ranks.double()
    fraction = fraction / fraction.sum(1, keepdim=True)  # with the target still among them
    others = ~one_hot(target, logits.shape[1]).bool()
    log_q = logits.masked_fill(~others, -torch.inf).log_softmax(1).masked_fill(~others, 0.0)
    divergence = torch.where(others, fraction * (fraction.log() - log_q), 0.0).sum(1)
    return F.cross_entropy(logits, target) + alpha * divergence.mean()


def tied_ranks_in_the_order_they_come(logits, target, alpha, reduction="mean"):
    ranks = logits.argsort(dim=1, descending=True, stable=True).argsort(dim=1) + 1
    others = ~one_hot(target, logits.shape[1]).bool()
    fraction = torch.where(others, 1 / ranks.double(), 0.0)
    fraction = fraction / fraction.sum(1, keepdim=True)
    log_q = logits.masked_fill(~others, -torch.inf).log_softmax(1).masked_fill(~others, 0.0)
    divergence = (torch.special.xlogy(fraction, fraction) - fraction * log_q).sum(1)
    return F.cross_entropy(logits, target) + alpha * divergence.mean()


def margin_averaged_over_the_batch_alone(logits, target, alpha, reduction="mean"):
    gaps = (logits.amax(1, keepdim=True) - logits - 1.0).relu()
    return F.cross_entropy(logits, target) + alpha * gaps.sum(1).mean()


def margin_on_the_true_class(logits, target, alpha, reduction="mean"):
    gaps = (logits.gather(1, target[:, None]) - logits - 1.0).relu()
    return F.cross_entropy(logits, target) + alpha * gaps.mean()


def acls_without_the_stop(logits, target, alpha, reduction="mean"):
    top = logits.amax(1, keepdim=True)
    below = (top - logits - 1.0).relu().square().sum(1) / (logits.shape[1] - 1)
    above = (top[:, 0] - 1.0).relu().square()
    return F.cross_entropy(logits, target) + alpha * (above + 0.1 * below).mean()


def focal_summed(logits, target, gamma, reduction="mean"):
    return functional.focal_loss(logits, target, gamma, reduction="sum")


def focal_of_the_whole_batch(logits, target, gamma, reduction="mean"):
    mean = F.cross_entropy(logits, target)
    return (1 - torch.exp(-mean)) ** gamma * mean


def second_class_even_above(logits, target, gamma, reduction="mean"):
    q = logits.softmax(1)
    true = q.gather(1, target[:, None])[:, 0]
    other = q.masked_fill(one_hot(target, logits.shape[1]).bool(), 0.0).amax(1)
    return (-((1 - true + other) ** gamma) * true.log()).mean()


def poly_of_the_log_probability(logits, target, epsilon, reduction="mean"):
    values = F.cross_entropy(logits, target, reduction="none")
    return (values + epsilon * (1 + values)).mean()


def temperature_twice(logits, target, temperature, reduction="mean"):
    scaled = F.normalize(logits, dim=1) / temperature
    return F.cross_entropy(scaled / temperature, target)


def length_held_fixed(logits, target, temperature, reduction="mean"):
    length = logits.detach().norm(dim=1, keepdim=True) + 1e-7
    return F.cross_entropy(logits / (length * temperature), target)


@dataclass(frozen=True)
class Pitfall:
    wrong: Callable[..., Tensor]
    right: Objective
    shows: Callable[[], tuple[Tensor, Tensor]]
    options: dict[str, object]


def batch() -> tuple[Tensor, Tensor]:
    return make((6, 5))[:2]


def dense() -> tuple[Tensor, Tensor]:
    return make((2, 3, 4, 4))[:2]


def partly_ignored() -> tuple[Tensor, Tensor]:
    logits, labels = batch()
    labels[2] = IGNORE
    return logits, labels


def as_one_hot() -> tuple[Tensor, Tensor]:
    logits, labels = batch()
    return logits, one_hot(labels, 5, torch.float64)


def many_classes() -> tuple[Tensor, Tensor]:
    logits, labels = make((2, 20_000))[:2]
    return (logits - 10).half(), labels


def tied() -> tuple[Tensor, Tensor]:
    return torch.tensor([[2.0, 2.0, 0.0]], dtype=torch.float64), torch.tensor([2])


def tied_others() -> tuple[Tensor, Tensor]:
    return torch.tensor([[3.0, 1.0, 1.0, 0.0]], dtype=torch.float64), torch.tensor([0])


WEIGHT = torch.tensor([0.5, 1.0, 2.0, 3.0, 4.0], dtype=torch.float64)
PITFALLS = [
    Pitfall(weights_on_the_mean, MAXSUP, batch, {"weight": WEIGHT}),
    Pitfall(maximum_over_the_width, MAXSUP, dense, {}),
    Pitfall(values_in_a_column, MAXSUP, batch, {"reduction": "none"}),
    Pitfall(ignored_still_regularised, MAXSUP, partly_ignored, {}),
    Pitfall(ignored_still_smoothed, LABEL_SMOOTHING, partly_ignored, {"reduction": "sum"}),
    Pitfall(ignored_in_the_denominator, MAXSUP, partly_ignored, {}),
    Pitfall(one_hot_weighted_class_by_class, CROSS_ENTROPY, as_one_hot, {"weight": WEIGHT}),
    Pitfall(summed_in_half_precision, MAXSUP, many_classes, {}),
    Pitfall(smoothing_ignored, LABEL_SMOOTHING, batch, {}),
    Pitfall(every_sample_with_every_other, LS_REGULARIZATION, batch, {}),
    Pitfall(smoothing_shared_by_the_wrong_classes, LABEL_SMOOTHING, batch, {}),
    Pitfall(entropy_averaged_over_classes, CONFIDENCE_PENALTY, batch, {}),
    Pitfall(squares_averaged_over_classes, LOGIT_PENALTY, batch, {}),
    Pitfall(cross_entropy_scaled_down, MAXSUP, batch, {}),
    Pitfall(tied_logits_share_the_penalty, MAXSUP, tied, {}),
    Pitfall(top_class_without_the_true_one, LS_ERROR_ENHANCEMENT_TOP1, batch, {}),
    Pitfall(not_renormalised, ZIPF, batch, {}),
    Pitfall(tied_ranks_in_the_order_they_come, ZIPF, tied_others, {}),
    Pitfall(margin_averaged_over_the_batch_alone, MARGIN, batch, {}),
    Pitfall(margin_on_the_true_class, MARGIN, batch, {}),
    Pitfall(acls_without_the_stop, ACLS, batch, {}),
    Pitfall(focal_summed, FOCAL, batch, {}),
    Pitfall(focal_of_the_whole_batch, FOCAL, batch, {}),
    Pitfall(second_class_even_above, DUAL_FOCAL, batch, {}),
    Pitfall(poly_of_the_log_probability, POLY1, batch, {}),
    Pitfall(temperature_twice, LOGIT_NORMALIZATION, batch, {}),
    Pitfall(length_held_fixed, LOGIT_NORMALIZATION, batch, {}),
]


@pytest.mark.parametrize("pitfall", PITFALLS, ids=lambda p: p.wrong.__name__)
def test_objective_does_not_make_a_known_mistake_which_would_be_caught(pitfall):
    logits, target = pitfall.shows()
    reference = pitfall.right.reference
    assert_equals_reference(
        pitfall.right, reference, logits, target, COEFFICIENT, **pitfall.options
    )
    with pytest.raises(AssertionError):
        assert_equals_reference(
            pitfall.wrong, reference, logits, target, COEFFICIENT, **pitfall.options
        )


@every_penalty
def test_objective_does_not_drop_its_coefficient(objective):
    logits, labels, _ = make((6, 5))
    weak, strong = (objective(logits, labels, coefficient) for coefficient in (0.1, 0.2))
    assert not torch.isclose(weak, strong)


@every_penalty
def test_objective_s_value_of_a_sample_is_its_own(objective):
    logits, labels, _ = make((6, 5))
    together = objective(logits, labels, COEFFICIENT, reduction="none")
    alone = [objective(logits[n], labels[n], COEFFICIENT, reduction="none") for n in range(6)]
    torch.testing.assert_close(together, torch.stack(alone))


@pytest.mark.parametrize("objective", LOSSES, ids=lambda o: o.name)
def test_objective_added_up_over_parts_is_that_of_the_whole_batch(objective):
    # The penalty must shrink with the cross-entropy when a loop divides by the number of parts.
    logits, labels, _ = make((8, 5))
    model = nn.Linear(5, 5, dtype=torch.float64)
    criterion = objective.module()
    criterion(model(logits), labels).backward()
    whole = model.weight.grad.clone()
    model.weight.grad = None
    for part in range(4):
        piece = slice(2 * part, 2 * part + 2)
        (criterion(model(logits[piece]), labels[piece]) / 4).backward()
    torch.testing.assert_close(model.weight.grad, whole)


def test_module_s_schedule_is_not_moved_by_its_use():
    criterion = losses.MaxSupLoss(lambda count: 0.1 * count)
    criterion.step()
    before = criterion.coefficients()
    for _ in range(3):
        criterion(*batch()).isfinite()
    assert criterion.coefficients() == before
