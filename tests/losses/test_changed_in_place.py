"""What is changed in place between a value and its gradient: an error, or the value's gradient."""

import pytest
import torch

from maxsup import losses, schedules
from maxsup.functional import (
    label_smoothing_loss,
    linear_label_smoothing_loss,
    linear_maxsup_loss,
    maxsup_loss,
    online_label_smoothing_loss,
)
from maxsup.losses import LinearMaxSupLoss, OnlineLabelSmoothingLoss
from maxsup.losses.numbers import gap_sum

from .cases import CROSS_ENTROPY, LABEL_SMOOTHING, LOSSES, MAXSUP, every_objective, make

BACKENDS = ("plain", "closed_form", "compiled")
CHANGED = "modified by an inplace operation"


def gradient_or_refusal(value, leaf):
    """The gradient, or None where torch or the loss says that it is lost."""
    try:
        return torch.autograd.grad(value.sum(), leaf)[0]
    except RuntimeError as error:
        if CHANGED not in str(error):
            raise
        return None


@pytest.mark.parametrize("kind", ["index", "ignored", "soft"])
@every_objective
def test_target_that_was_changed_gives_no_other_gradient(objective, kind):
    logits, target, weight = make((6, 5), kind)
    for backend in (None, *BACKENDS):
        for of_classes in (None, weight):
            check_changed(objective, logits, target, of_classes, backend)


def check_changed(objective, logits, target, weight, backend):
    mine, leaf = target.clone(), logits.clone().requires_grad_()
    of_classes = None if weight is None else weight.clone()

    def value():
        return objective(leaf * 1.0, mine, 0.3, weight=of_classes)

    if backend is None:
        expected = torch.autograd.grad(value(), leaf)[0]
        found = value()
    else:
        with losses.backend(backend):
            expected = torch.autograd.grad(value(), leaf)[0]
            found = value()
    mine.copy_(mine.flip(0))
    if of_classes is not None:
        of_classes.copy_(of_classes.flip(0))
    gradient = gradient_or_refusal(found, leaf)
    assert gradient is None or torch.equal(gradient, expected)


@pytest.mark.parametrize("backend", [None, *BACKENDS])
@pytest.mark.parametrize("kind", ["index", "soft"])
@every_objective
def test_target_that_was_changed_is_said(objective, kind, backend):
    logits, target, _ = make((6, 5), kind)
    leaf = logits.requires_grad_()
    if backend is None:
        value = objective(leaf, target, 0.3)
    else:
        with losses.backend(backend):
            value = objective(leaf, target, 0.3)
    target.mul_(0)
    with pytest.raises(RuntimeError, match=CHANGED):
        value.backward()


@pytest.mark.parametrize("dtype", [torch.int32, torch.uint8])
@pytest.mark.parametrize(
    "objective", [CROSS_ENTROPY, LABEL_SMOOTHING, MAXSUP], ids=lambda o: o.name
)
def test_labels_that_were_copied_anyway_may_be_changed(objective, dtype):
    logits, labels, _ = make((6, 5))
    labels, leaf = labels.to(dtype), logits.requires_grad_()
    expected = torch.autograd.grad(objective(leaf, labels, 0.3), leaf)[0]
    value = objective(leaf, labels, 0.3)
    labels.zero_()
    assert torch.equal(torch.autograd.grad(value, leaf)[0], expected)


def test_labels_of_inference_mode_serve():
    logits, labels, _ = make((6, 5))
    with torch.inference_mode():
        without_count = labels.clone()
    leaf = logits.requires_grad_()
    expected = torch.autograd.grad(maxsup_loss(leaf, labels), leaf)[0]
    found = torch.autograd.grad(maxsup_loss(leaf, without_count), leaf)[0]
    assert torch.equal(found, expected)


@pytest.mark.parametrize("changed", ["target", "weight", "alpha"])
@pytest.mark.parametrize("reduction", ["none", "mean"])
@pytest.mark.parametrize("function", [linear_maxsup_loss, linear_label_smoothing_loss])
def test_linear_loss_says_what_was_changed(function, reduction, changed):
    features, labels, _ = make((7, 4))
    linear_weight = make((5, 4), seed=1)[0].requires_grad_()
    given = {
        "target": labels,
        "weight": make((7, 5))[2],
        # On the CPU a number is made of another.
        "alpha": torch.tensor(0.3, dtype=torch.float64),
    }
    for chunk_size in (2, 100):
        value = function(
            features.requires_grad_(), linear_weight, **given, reduction=reduction,
            chunk_size=chunk_size,
        )  # fmt: skip
        expected = torch.autograd.grad(value.sum(), linear_weight, retain_graph=True)[0]
        with torch.no_grad():
            given[changed].mul_(0)
        gradient = gradient_or_refusal(value, linear_weight)
        assert gradient is None or torch.equal(gradient, expected)
        if changed == "target":
            assert gradient is None
        given[changed] = given[changed] + 1 if changed == "target" else given[changed] + 0.2


@pytest.mark.parametrize("needs", ["weight", "alpha"])
@pytest.mark.parametrize(
    ("function", "objective"),
    [(linear_maxsup_loss, maxsup_loss), (linear_label_smoothing_loss, label_smoothing_loss)],
)
def test_linear_loss_sends_a_gradient_to_all_that_need_one(function, objective, needs):
    features, labels, _ = make((7, 4))
    linear_weight = make((5, 4), seed=1)[0]
    given = {"weight": make((7, 5))[2], "alpha": torch.tensor(0.3, dtype=torch.float64)}
    leaf = given[needs].requires_grad_()
    value = function(features, linear_weight, labels, chunk_size=2, **given)
    expected = objective(features @ linear_weight.t(), labels, **given)
    torch.testing.assert_close(
        torch.autograd.grad(value, leaf), torch.autograd.grad(expected, leaf)
    )


def test_margin_that_was_changed_is_said():
    logits, labels, _ = make((6, 5))
    margin = torch.tensor(1.0)
    with losses.backend("closed_form"):
        total, _ = gap_sum(logits.requires_grad_(), labels, margin)
    margin.fill_(3.0)
    with pytest.raises(RuntimeError, match=CHANGED):
        total.sum().backward()


RISING = schedules.linear(0.1, 0.5, steps=4)
CRITERIONS = {
    **{
        o.name: o.module if o.coefficient is None else (lambda o=o: o.module(RISING))
        for o in LOSSES
    },
    "online": lambda: OnlineLabelSmoothingLoss(5),
    "linear": lambda: LinearMaxSupLoss(5, 5, RISING, chunk_size=2, dtype=torch.float64),
}


@pytest.mark.parametrize("move", ["step", "end_epoch", "reset_parameters", "load_state_dict"])
@pytest.mark.parametrize("name", CRITERIONS)
def test_criterion_may_move_on_between_value_and_gradient(name, move):
    if name == "linear" and move == "load_state_dict":
        pytest.skip("the layer's parameters are written over, as torch's are")
    criterion = CRITERIONS[name]()
    for kind in ("index", "soft"):
        logits, target, _ = make((6, 5), kind)
        leaf = logits.requires_grad_()
        leaves = [leaf, target.requires_grad_()] if kind == "soft" and name != "linear" else [leaf]
        for reduction in ("none", "mean"):
            criterion.reduction = reduction
            value = criterion(leaf, target).sum()
            expected = torch.autograd.grad(value, leaves, retain_graph=True)
            other = CRITERIONS[name]()
            other.step()
            if move == "load_state_dict":
                criterion.load_state_dict(other.state_dict())
            else:
                getattr(criterion, move)()
            for _ in range(2):
                found = torch.autograd.grad(value, leaves, retain_graph=True)
                torch.testing.assert_close(found, expected)


def test_state_that_was_taken_stays_as_it_was_when_the_criterion_moves_on():
    criterion = losses.MaxSupLoss(RISING)
    state = criterion.state_dict()
    criterion.step()
    assert float(state["alpha"]) == RISING(0)
    assert int(state["count"]) == 0


def test_online_soft_labels_may_be_changed_where_the_target_needs_a_gradient():
    logits, target, _ = make((6, 5), "soft")
    soft_labels = make((5, 5), "soft", seed=1)[1]
    value = online_label_smoothing_loss(logits, target.requires_grad_(), soft_labels)
    expected = torch.autograd.grad(value, target, retain_graph=True)
    soft_labels.zero_()
    torch.testing.assert_close(torch.autograd.grad(value, target), expected)
