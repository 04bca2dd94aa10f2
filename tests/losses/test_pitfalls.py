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
    CONFIDENCE_PENALTY,
    CROSS_ENTROPY,
    IGNORE,
    LABEL_SMOOTHING,
    LOGIT_PENALTY,
    LOSSES,
    LS_ERROR_ENHANCEMENT_TOP1,
    LS_REGULARIZATION,
    MAXSUP,
    Objective,
    assert_equals_reference,
    every_penalty,
    make,
    one_hot,
)

STRENGTH = 0.3


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


def one_hot_weighted_class_by_class(logits, target, strength, weight=None, reduction="mean"):
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
]


@pytest.mark.parametrize("pitfall", PITFALLS, ids=lambda p: p.wrong.__name__)
def test_a_known_mistake_is_not_made_and_would_be_caught(pitfall):
    logits, target = pitfall.shows()
    reference = pitfall.right.reference
    assert_equals_reference(pitfall.right, reference, logits, target, STRENGTH, **pitfall.options)
    with pytest.raises(AssertionError):
        assert_equals_reference(
            pitfall.wrong, reference, logits, target, STRENGTH, **pitfall.options
        )


@every_penalty
def test_the_strength_is_not_silently_dropped(objective):
    logits, labels, _ = make((6, 5))
    weak, strong = (objective(logits, labels, strength) for strength in (0.1, 0.2))
    assert not torch.isclose(weak, strong)


@every_penalty
def test_a_sample_s_value_is_its_own(objective):
    logits, labels, _ = make((6, 5))
    together = objective(logits, labels, STRENGTH, reduction="none")
    alone = [objective(logits[n], labels[n], STRENGTH, reduction="none") for n in range(6)]
    torch.testing.assert_close(together, torch.stack(alone))


@pytest.mark.parametrize("objective", LOSSES, ids=lambda o: o.name)
def test_accumulating_over_parts_of_a_batch_is_the_whole_batch(objective):
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


def test_using_a_criterion_does_not_move_its_schedule():
    criterion = losses.MaxSupLoss(lambda count: 0.1 * count)
    criterion.step()
    before = criterion.strengths()
    for _ in range(3):
        criterion(*batch()).isfinite()
    assert criterion.strengths() == before
