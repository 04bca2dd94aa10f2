"""Several gradients at once, tensors without values, and operations that are taken down."""

import warnings

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.autograd.functional import hessian, jacobian
from torch.func import hessian as hessian_by_transform
from torch.func import jacrev
from torch.fx.experimental.proxy_tensor import make_fx

from maxsup import losses, schedules
from maxsup.functional import linear_label_smoothing_loss, linear_maxsup_loss
from maxsup.losses import LinearMaxSupLoss, MaxSupLoss, OnlineLabelSmoothingLoss

from .cases import FOCAL, LABEL_SMOOTHING, LOSSES, LS_REGULARIZATION, MAXSUP, every_objective, make

every_kind = pytest.mark.parametrize("kind", ["index", "soft"])
LINEAR = {"maxsup": linear_maxsup_loss, "label-smoothing": linear_label_smoothing_loss}
SOME = pytest.mark.parametrize(
    "objective", [MAXSUP, LABEL_SMOOTHING, LS_REGULARIZATION, FOCAL], ids=lambda o: o.name
)


def elsewhere(logits, target, rows):
    """Other inputs with as many rows."""
    logits = torch.cat([logits, 1.5 * logits.flip(0)])[-rows:]
    other = target.flip(0) if target.is_floating_point() else (target + 1) % logits.shape[1]
    return logits, torch.cat([target, other])[-rows:]


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")  # torch's own use of it
@every_kind
@every_objective
def test_objective_takes_several_gradients_at_once(objective, kind):
    logits, target, weight = make((3, 4), kind)

    def values(z):
        return objective(z, target, 0.3, weight=weight, reduction="none")

    def value(z):
        return objective(z, target, 0.3)

    expected = jacrev(values)(logits)
    for backend in ("plain", "closed_form", "compiled"):
        with losses.backend(backend):
            leaf = logits.clone().requires_grad_()
            several = values(leaf)
            (found,) = torch.autograd.grad(
                several, leaf, torch.eye(3, dtype=torch.float64), is_grads_batched=True
            )
            torch.testing.assert_close(found, expected)
    torch.testing.assert_close(jacobian(values, logits, vectorize=True), expected)
    torch.testing.assert_close(
        hessian(value, logits, vectorize=True), hessian_by_transform(value)(logits)
    )


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")  # torch's own use of it
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@every_kind
@SOME
def test_objective_s_gradients_at_once_in_both_modes(objective, kind, reduction):
    logits, target, _ = make((2, 4), kind)

    def value(z):
        return objective(z, target, 0.3, reduction=reduction)

    assert torch.autograd.gradcheck(
        value,
        (logits.requires_grad_(),),
        check_batched_grad=True,
        check_forward_ad=True,
        check_batched_forward_grad=True,
    )
    assert torch.autograd.gradgradcheck(value, (logits,), check_batched_grad=True)
    logits.requires_grad_(False)
    found = jacobian(value, logits, vectorize=True, strategy="forward-mode")
    torch.testing.assert_close(found, jacobian(value, logits))


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")  # torch's own use of it
@every_kind
@pytest.mark.parametrize("name", LINEAR)
def test_linear_loss_takes_several_gradients_at_once(name, kind):
    features, target, _ = make((5, 4), kind)
    weights, bias = make((4, 4), seed=1)[0], make((4,), seed=2)[0]

    def values(features, weights, bias):
        return LINEAR[name](features, weights, target, bias, reduction="none", chunk_size=2)

    def value(*layer):
        return values(*layer).mean()

    layer = (features, weights, bias)
    torch.testing.assert_close(jacobian(values, layer, vectorize=True), jacobian(values, layer))
    torch.testing.assert_close(
        hessian(value, layer, vectorize=True),
        hessian_by_transform(value, argnums=(0, 1, 2))(*layer),
    )


def with_gradient(function):
    """Value and gradient as a function that can be taken down."""

    def both(logits, target):
        leaf = logits.detach().requires_grad_()
        value = function(leaf, target)
        return value, *torch.autograd.grad(value, leaf)

    return both


@every_kind
@every_objective
def test_objective_s_operations_are_taken_down_with_their_gradient(objective, kind):
    logits, target, _ = make((3, 4), kind)
    both = with_gradient(lambda z, t: objective(z, t, 0.3))
    for mode in ("real", "symbolic"):
        graph = make_fx(both, tracing_mode=mode)(logits, target)
        rows = 5 if mode == "symbolic" else 3
        given = elsewhere(logits, target, rows)
        torch.testing.assert_close(graph(*given), both(*given))


@pytest.mark.parametrize("name", LINEAR)
def test_linear_loss_s_operations_are_taken_down_with_their_gradient(name):
    features, target, _ = make((5, 4))
    weights = make((4, 4), seed=1)[0]

    def value(features, target, weights):
        return LINEAR[name](features, weights, target, chunk_size=2)

    def both(features, target, weights):
        leaf = features.detach().requires_grad_()
        found = value(leaf, target, weights)
        return found, *torch.autograd.grad(found, leaf)

    for mode in ("real", "symbolic"):
        graph = make_fx(both, tracing_mode=mode)(features, target, weights)
        given = (*elsewhere(features, target, 5), weights.flip(0))
        torch.testing.assert_close(graph(*given), both(*given))


@every_kind
@SOME
def test_objective_in_graphs_made_ahead_of_time(objective, kind):
    from functorch.compile import aot_function, nop

    logits, target, _ = make((3, 4), kind)
    graph = aot_function(lambda z, t: objective(z, t, 0.3), nop)
    for given in ((logits, target), elsewhere(logits, target, 3)):
        ours, theirs = (given[0].clone().requires_grad_() for _ in range(2))
        found, expected = graph(ours, given[1]), objective(theirs, given[1], 0.3)
        torch.testing.assert_close(found, expected)
        torch.testing.assert_close(
            torch.autograd.grad(found, ours), torch.autograd.grad(expected, theirs)
        )


RISING = schedules.linear(0.1, 0.5, steps=4)
MODULES = {
    **{o.name: o.module for o in LOSSES},
    "scheduled": lambda: MaxSupLoss(RISING),
}


@every_kind
@pytest.mark.parametrize("name", MODULES)
def test_criterion_of_tensors_without_values(name, kind):
    logits, target, _ = make((3, 4), kind)
    before = MODULES[name]()
    with FakeTensorMode() as mode:
        leaf, fake = mode.from_tensor(logits).requires_grad_(), mode.from_tensor(target)
        for criterion in (before, MODULES[name]()):
            value = criterion(leaf * 1.0, fake)
            assert value.shape == ()
            assert torch.autograd.grad(value, leaf)[0].shape == logits.shape
            criterion.step()
            repr(criterion)
    expected = MODULES[name]()
    expected.step()
    assert torch.equal(before(logits, target), expected(logits, target))


@pytest.mark.parametrize(
    "build",
    [lambda: OnlineLabelSmoothingLoss(4), lambda: LinearMaxSupLoss(4, 4, chunk_size=2)],
    ids=["online", "linear"],
)
def test_criterion_that_holds_tensors_is_made_among_those_without_values(build):
    with FakeTensorMode():
        criterion = build()
        value = criterion(torch.randn(5, 4, requires_grad=True), torch.zeros(5, dtype=torch.int64))
        value.backward()
        criterion.step()
        criterion.end_epoch()
    assert value.shape == ()


def traced(module, *given):
    with warnings.catch_warnings():
        # torch gives up its tracer; what traces itself must not warn.
        warnings.filterwarnings("ignore", category=FutureWarning)
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", category=torch.jit.TracerWarning, module=r"maxsup\.")
        return torch.jit.trace(module, given, check_trace=False)


@every_kind
@pytest.mark.parametrize(
    "build",
    [
        *(o.module for o in LOSSES),
        lambda: OnlineLabelSmoothingLoss(4),
        lambda: LinearMaxSupLoss(4, 4, chunk_size=2, dtype=torch.float64),
        lambda: MaxSupLoss(RISING, weight=torch.ones(4)),
    ],
)
def test_criterion_that_is_traced_is_no_constant(build, kind):
    logits, target, _ = make((3, 4), kind)
    criterion = build()
    trace = traced(criterion, logits, target)
    given = elsewhere(logits, target, 5)
    leaf, other = given[0].clone().requires_grad_(), given[0].clone().requires_grad_()
    found, expected = trace(leaf, given[1]), criterion(other, given[1])
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(
        torch.autograd.grad(found, leaf), torch.autograd.grad(expected, other)
    )


def test_criterion_is_exported_without_dynamo():
    logits, labels, _ = make((3, 4))
    criterion = MaxSupLoss(RISING)
    program = torch.export.export(criterion, (logits, labels), strict=False).module()
    given = elsewhere(logits, labels, 3)
    torch.testing.assert_close(program(*given), criterion(*given))


def test_mode_that_looks_on_changes_no_value():
    from torch.utils.flop_counter import FlopCounterMode

    logits, labels, _ = make((3, 4))
    with FlopCounterMode(display=False):
        found = MAXSUP(logits, labels, 0.3)
    torch.testing.assert_close(found, MAXSUP(logits, labels, 0.3))


def test_subclass_that_only_names_a_tensor_is_looked_at():
    class Mask(torch.Tensor):
        pass

    logits, labels, _ = make((3, 4))
    mask = labels.as_subclass(Mask)
    torch.testing.assert_close(MAXSUP(logits, mask, 0.3), MAXSUP(logits, labels, 0.3))
    with pytest.raises(ValueError, match="target holds the label"):
        MAXSUP(logits, mask + 4, 0.3)
