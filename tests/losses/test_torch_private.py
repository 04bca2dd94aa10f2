"""What is done where a private part of torch is missing: the same values, by another path."""

import pytest
import torch
from torch.autograd import forward_ad

from maxsup.losses import _torch_private, numbers

from .cases import LABEL_SMOOTHING, MAXSUP, make

OBJECTIVES = pytest.mark.parametrize("objective", [MAXSUP, LABEL_SMOOTHING], ids=lambda o: o.name)


def value_and_gradient(function, logits, *args, **options):
    leaf = logits.detach().clone().requires_grad_()
    value = function(leaf, *args, **options)
    return value.detach(), torch.autograd.grad(value.sum(), leaf)[0]


OWNERS = {
    "maybe_current_level": torch._C._functorch,
    "is_functorch_wrapped_tensor": torch._C._functorch,
    "is_legacy_batchedtensor": torch._C._functorch,
    "_current_level": forward_ad,
    "_len_torch_dispatch_stack": torch._C,
    "_is_tracing": torch._C,
    "_get_dispatch_mode": torch._C,
}


@pytest.fixture(params=OWNERS)
def _without(request, monkeypatch):
    monkeypatch.delattr(OWNERS[request.param], request.param)


@pytest.mark.usefixtures("_without")
@OBJECTIVES
def test_private_part_that_is_missing_changes_no_value(objective):
    logits, labels, weight = make((6, 5), "ignored")
    options = {"weight": weight, "reduction": "none"}
    found = value_and_gradient(objective, logits, labels, 0.3, **options)
    exact = [
        objective.reference(logits[n : n + 1], labels[n : n + 1], 0.3, **options) for n in range(6)
    ]
    torch.testing.assert_close(found[0], torch.cat(exact))
    slope = torch.func.grad(lambda z: objective(z, labels, 0.3, **options).sum())(logits)
    torch.testing.assert_close(found[1], slope)
    in_rows = torch.func.vmap(lambda z, k: objective(z, k, 0.3))(logits, labels.clamp(min=0))
    torch.testing.assert_close(
        in_rows, objective(logits, labels.clamp(min=0), 0.3, reduction="none")
    )


def test_private_part_that_is_missing_leaves_plain_operations(monkeypatch):
    logits, _, _ = make((6, 5))
    assert numbers.by_hand(logits)
    with monkeypatch.context() as patched:
        patched.delattr(torch._C._functorch, "maybe_current_level")
        assert _torch_private.in_transform()
        assert not numbers.by_hand(logits)
    with monkeypatch.context() as patched:
        patched.delattr(torch._C._functorch, "is_functorch_wrapped_tensor")
        assert _torch_private.may_be_wrapped(logits)
    with monkeypatch.context() as patched:
        patched.delattr(forward_ad, "_current_level")
        assert _torch_private.differentiates_forward()
        assert not numbers.by_hand(logits)


@pytest.mark.filterwarnings("ignore:Dynamo does not know how to trace:UserWarning")
def test_mark_for_compilers_that_is_unknown_changes_no_value(monkeypatch):
    torch.compiler.reset()
    monkeypatch.delattr(_torch_private.in_transform, "_dynamo_marked_constant")
    logits, labels, _ = make((6, 5))
    compiled = torch.compile(MAXSUP, backend="aot_eager")
    torch.testing.assert_close(
        value_and_gradient(compiled, logits, labels), value_and_gradient(MAXSUP, logits, labels)
    )
