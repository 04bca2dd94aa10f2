"""Which backend computes the numbers of the logits: it is decided here, and nowhere else."""

import contextlib
import functools
import importlib.util
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TypeGuard

import torch
from torch import Tensor

from maxsup.losses._inputs import REDUCTIONS, Inputs, is_ordinary
from maxsup.losses._torch_private import differentiates_forward, in_transform
from maxsup.losses.numbers import closed_form, closed_form_sum, compiled, plain
from maxsup.losses.numbers._names import Factor, Name

BACKENDS = ("plain", "closed_form", "compiled", "triton")

_named: ContextVar[str | None] = ContextVar("maxsup_backend", default=None)
# The name given last, whatever the context: what compilers guard their code by.
_named_last: str | None = None


@contextlib.contextmanager
def backend(name: str) -> Iterator[None]:
    """Have one backend compute the numbers of the logits, where otherwise the fastest is chosen.

    All come to the same values and gradients up to rounding. It is for tests, for measurements, and
    to see whether a backend is to blame. Code that is compiled is compiled anew for another name.

    Args:
        name: ``plain``, differentiable operations of torch; ``closed_form``, the gradient written
            out by hand; ``compiled``, the form that ``torch.compile`` fuses; ``triton``, kernels
            for CUDA.

    Raises:
        ValueError: No backend has that name. An objective that is called inside raises one where
            the backend cannot serve what it was given, and says why.

    Example:
        >>> from maxsup.functional import maxsup_loss
        >>> with backend("plain"):
        ...     maxsup_loss(torch.tensor([[2.0, 0.0, 1.0]]), torch.tensor([0]))
        tensor(0.5076)
    """
    global _named_last
    if name not in BACKENDS:
        raise ValueError(f"backend must be one of {', '.join(BACKENDS)}; got {name!r}.")
    before = _named_last
    _named_last = name
    # Compilers do not set context variables.
    token = None if torch.compiler.is_compiling() else _named.set(name)
    try:
        yield
    finally:
        if token is not None:
            _named.reset(token)
        _named_last = before


def numbers(
    inputs: Inputs, *names: Name, other: Tensor | None = None, masked: bool = True
) -> tuple[Tensor, ...]:
    """Numbers per example, each of shape (N, ...), float32 at least.

    Most objectives look at an example's log-probabilities in two or three indices only: the true
    class, the largest, their mean. What an objective makes of these numbers is arithmetic on one
    number per example, which autograd handles; the gradient of all of them together is a multiple
    of the softmax and a few single entries, so that an objective costs about as many passes over
    the logits as a softmax does.

    Args:
        inputs: The logits and their target.
        names: ``true``: Σ_k t_k·log q_k, that of the true class or its mean under a soft target.
            ``other``: log q of the class named by ``other``. ``top``: max_k log q_k, whose gradient
            goes to the first of tied logits alone. ``mean``: mean_k log q_k over the available
            classes, z̄ up to the offset that all logits share. ``entropy``: −Σ_k q_k·log q_k.
            ``squares``: Σ_k z_k² over the available classes.
        other: A class per example, (N, ...) int64.
        masked: False where the logits may hold anything at ignored positions. What the numbers
            are there is not said then, but it is finite, and no gradient reaches those logits.

    Returns:
        The numbers in the order of their names.

    Raises:
        ValueError: The backend named by :func:`backend` cannot serve these inputs.
    """
    chosen = _choose(inputs, names)
    if chosen == "compiled":
        return compiled.numbers(inputs, names, other)
    if chosen == "triton":
        from maxsup.losses.numbers import triton

        return triton.numbers(inputs._replace(kept=None) if masked else inputs, names, other)
    if not masked:
        inputs = inputs.masked()
    if chosen == "closed_form":
        return closed_form.numbers(inputs, names, other)
    return plain.numbers(inputs, names, other)


def gap_sum(
    logits: Tensor,
    index: Tensor,
    margin: float | Tensor = 0.0,
    *,
    power: int = 1,
    above: bool = False,
    fixed: bool = False,
    closed: bool = False,
) -> tuple[Tensor, Tensor]:
    """Σ_k relu(z_index − z_k − m)^power over the available classes, and how many terms are not 0.

    Args:
        logits: Shape (N, K, ...).
        index: The class from which the others are measured, (N, ...) int64.
        margin: m, a number ≥ 0 or a 0-dimensional tensor.
        power: 1 or 2.
        above: Sum relu(z_k − z_index − m)^power instead.
        fixed: No gradient reaches z_index.
        closed: The slope at a gap of exactly m, for power 1, is 1 instead of 0.

    Returns:
        The sum, (N, ...) in float32 at least, and the number, (N, ...) int64.

    Raises:
        ValueError: The backend named by :func:`backend` cannot serve these inputs.
    """
    refusal = _refusal_by_hand(logits)
    if isinstance(margin, Tensor) and margin.requires_grad:
        refusal = "the margin needs a gradient"
    name = _name()
    if name == "triton":
        raise _cannot(name, "it has no kernel for distances between logits")
    if name == "closed_form" and refusal is not None:
        raise _cannot(name, refusal)
    # Compilers fuse the plain operations.
    if refusal is not None or name in ("plain", "compiled"):
        return plain.gap_sum(logits, index, margin, power, above, fixed, closed)
    return closed_form.gap_sum(logits, index, margin, power, above, fixed, closed)


def sum_in_one_step(
    logits: Tensor,
    target: Tensor,
    weight: Tensor | None,
    ignore_index: int | None,
    reduction: str,
    factors: tuple[Factor, Factor | None, Factor | None],
) -> Tensor | None:
    """A reduced weighted sum of numbers of a plain batch, where a backend has it in one step.

    The arguments have not been checked. None where no backend has it.
    """
    if weight is not None or not _are_numbers(factors) or reduction not in REDUCTIONS:
        return None
    name = _name()
    if name in (None, "closed_form") and _is_plain_batch(logits, target, ignore_index):
        return closed_form_sum.weighted_sum(logits, target, factors, reduction)
    if name in (None, "triton") and factors[0] and _is_plain_batch_on_a_gpu(logits, target):
        from maxsup.losses.numbers import triton_sum

        return triton_sum.weighted_sum(logits, target, factors, _as_label(ignore_index), reduction)
    return None


def compiler_takes_whole() -> bool:
    """Whether a compiler is at work and has what it needs for a weighted sum as one operation."""
    return is_traced() and _name() in (None, "compiled")


def is_traced() -> bool:
    """Whether a compiler is at work, outside of ``torch.func``."""
    return torch.compiler.is_compiling() and not in_transform()


def by_hand(tensor: Tensor) -> bool:
    """Whether a gradient written out by hand is of use for what is computed from a tensor.

    It is not where a compiler fuses plain operations anyway, and cannot be where these must be
    transformed or taken down: in ``torch.func``, forward-mode differentiation, tensor subclasses,
    tracers and dispatch modes.
    """
    return _refusal_by_hand(tensor) is None


_LABEL_DTYPES = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.uint16)


def _choose(inputs: Inputs, names: tuple[Name, ...]) -> str:
    name = _name()
    if name is not None:
        refusal = _refusal(name, inputs, names)
        if refusal is not None:
            raise _cannot(name, refusal)
        return name
    fastest_first = ("compiled",) if torch.compiler.is_compiling() else ("triton", "closed_form")
    for candidate in fastest_first:
        if _refusal(candidate, inputs, names) is None:
            return candidate
    return "plain"


def _refusal(name: str, inputs: Inputs, names: tuple[Name, ...]) -> str | None:
    """Why a backend cannot serve; None where it can."""
    if name == "plain":
        return None
    logits = inputs.logits
    if inputs.probabilities is not None and inputs.probabilities.requires_grad:
        return "the target needs a gradient"
    if name == "compiled" and torch.compiler.is_compiling():
        return "torch.func is at work" if in_transform() else None
    if name == "triton" and not logits.is_cuda:
        return "the logits are not on a CUDA device"
    refusal = _refusal_by_hand(logits)
    if refusal is None and name == "triton":
        return _refusal_of_triton(inputs, names)
    return refusal


def _refusal_by_hand(logits: Tensor) -> str | None:
    if torch.compiler.is_compiling():
        return "a compiler is at work"
    if in_transform():
        return "torch.func is at work"
    if differentiates_forward():
        return "forward-mode differentiation is at work"
    if type(logits) not in (Tensor, torch.nn.Parameter):
        return "the logits are of a subclass of torch.Tensor"
    if not is_ordinary(logits):
        return "operations are traced, or taken over by a dispatch mode"
    return None


def _refusal_of_triton(inputs: Inputs, names: tuple[Name, ...]) -> str | None:
    """Whether it is rows of logits with labels, and three of the numbers."""
    logits = inputs.logits
    if inputs.labels is None:
        return "the target holds probabilities"
    if not set(names) <= {"true", "top", "mean"}:
        return "it has only the numbers true, top and mean"
    if logits.dim() != 2 or logits.stride(1) != 1:
        return "the classes of an example do not lie side by side"
    if logits.dtype == torch.float64:
        return "the logits are float64"
    return None if _triton_is_there() else "Triton is not installed"


@functools.cache
def _triton_is_there() -> bool:
    return importlib.util.find_spec("triton") is not None


def _cannot(name: str, reason: str) -> ValueError:
    return ValueError(f"The backend {name!r} cannot serve this: {reason}.")


def _name() -> str | None:
    """The backend that was named, None where none was."""
    return _named_last if torch.compiler.is_compiling() else _named.get()


def _are_numbers(
    factors: tuple[Factor, Factor | None, Factor | None],
) -> TypeGuard[closed_form_sum.Factors]:
    return not any(isinstance(factor, Tensor) for factor in factors)


def _is_plain_batch(logits: Tensor, target: Tensor, ignore_index: int | None) -> bool:
    """Whether these are a batch of logits and its labels, on the CPU, with nothing to hide."""
    return (
        type(logits) in (Tensor, torch.nn.Parameter)
        and type(target) is Tensor
        and target.dtype in _LABEL_DTYPES
        and logits.is_floating_point()
        and logits.dim() >= 2
        and logits.numel() > 0
        and target.shape == logits.shape[:1] + logits.shape[2:]
        and (ignore_index is None or not 0 <= ignore_index < logits.shape[1])
        and logits.device.type == target.device.type == "cpu"
        and by_hand(logits)
    )


def _is_plain_batch_on_a_gpu(logits: Tensor, target: Tensor) -> bool:
    """Whether these are rows of logits and their labels, on one CUDA device."""
    return (
        type(logits) in (Tensor, torch.nn.Parameter)
        and type(target) is Tensor
        and logits.is_cuda
        and logits.device == target.device
        and target.dtype == torch.int64
        and logits.dtype in (torch.float32, torch.bfloat16, torch.float16)
        and logits.dim() == 2
        and logits.shape[1] > 0
        and logits.stride(1) == 1
        and target.shape == logits.shape[:1]
        and target.is_contiguous()
        and by_hand(logits)
        and _triton_is_there()
    )


def _as_label(ignore_index: int | None) -> int:
    """The label of ignored positions; where none are, one that no label is."""
    return -(2**62) if ignore_index is None else ignore_index
