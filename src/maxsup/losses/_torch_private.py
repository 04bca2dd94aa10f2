"""The parts of torch used here that are private to it, each with what is done where it is missing.

Without them everything is still right: it is computed by plain operations, which take longer.
"""

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

    Where torch does not say, it may.
    """
    try:
        return torch._C._functorch.is_functorch_wrapped_tensor(tensor)
    except AttributeError:
        return True


def differentiates_forward() -> bool:
    """Whether forward-mode differentiation is at work; where torch does not say, it may be."""
    try:
        return forward_ad._current_level >= 0
    except AttributeError:
        return True
