"""The parts of torch used here that are private to it, each with what is done where it is missing.

Without them everything is still right: it is computed by plain operations, which take longer.
"""

import contextlib
import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import torch
from torch import Tensor
from torch.autograd import forward_ad

P = ParamSpec("P")
R = TypeVar("R")


def constant_for_compilers(function: Callable[P, R]) -> Callable[P, R]:
    """Have compilers call a function while they trace, instead of looking into it.

    It does what :func:`torch.compiler.assume_constant_result` does, which would load the whole
    compiler on import. A compiler that does not know the mark looks into the function, and may
    break its graph there.
    """
    function._dynamo_marked_constant = True  # type: ignore[attr-defined]
    return function


@constant_for_compilers
def in_transform() -> bool:
    """Whether ``torch.func`` is at work; compiled code is for one of the two cases.

    Where torch does not say, it may be.
    """
    try:
        return torch._C._functorch.maybe_current_level() is not None
    except AttributeError:
        return True


def may_be_wrapped(tensor: Tensor) -> bool:
    """Whether a tensor stands for several or for a tangent, so that its values are not to be seen.

    It does in ``torch.func``, and where ``is_grads_batched`` or ``vectorize`` of ``torch.autograd``
    sends several gradients at once. Where torch does not say, it may.
    """
    try:
        functorch = torch._C._functorch
        return functorch.is_functorch_wrapped_tensor(tensor) or functorch.is_legacy_batchedtensor(
            tensor
        )
    except AttributeError:
        return True


def is_recorded() -> bool:
    """Whether somebody looks on as operations are called, and may do something else with them.

    ``torch.jit.trace`` and ``make_fx`` take them down, ``FakeTensorMode`` does without their
    values, AOT makes graphs of them. Where torch does not say, somebody may.
    """
    try:
        return torch._C._len_torch_dispatch_stack() > 0 or torch._C._is_tracing()
    except AttributeError:
        return True


def beside_fakes(number: Tensor, tensor: Tensor) -> Tensor | float:
    """A number in the form in which it may meet a tensor that may be a fake one.

    Fakes refuse to meet real tensors, of which the number may be one; it is met as a number then.
    """
    try:
        fake_tensor = sys.modules["torch._subclasses.fake_tensor"]
        fake, modes = fake_tensor.FakeTensor, torch._C._TorchDispatchModeKey
        among_fakes = isinstance(tensor, fake) or torch._C._get_dispatch_mode(modes.FAKE)
        if among_fakes and not isinstance(number, fake):
            with without_fakes():
                return float(number)
    except (AttributeError, KeyError):
        pass
    return number


def without_fakes() -> contextlib.AbstractContextManager[object]:
    """Read and make real tensors, also where ``FakeTensorMode`` is at work."""
    try:
        fake_tensor = sys.modules["torch._subclasses.fake_tensor"]
        unset: contextlib.AbstractContextManager[object] = fake_tensor.unset_fake_temporarily()
        return unset
    except (AttributeError, KeyError):
        return contextlib.nullcontext()


def changes(tensor: Tensor) -> int | None:
    """How often a tensor was changed in place; None where torch does not count, or does not say."""
    try:
        return None if tensor.is_inference() else tensor._version
    except AttributeError:
        return None


def differentiates_forward() -> bool:
    """Whether forward-mode differentiation is at work; where torch does not say, it may be."""
    try:
        return forward_ad._current_level >= 0
    except AttributeError:
        return True
