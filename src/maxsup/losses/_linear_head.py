"""A classifier's last layer and an objective in one, without the logits of the whole batch.

The batch goes through layer and objective in chunks. A chunk's logits become its gradient, and that
the gradients of features and weights, before the next chunk's logits are computed; so no more than
two chunks' worth of logits is in memory at a time.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from maxsup.losses._inputs import check_reduction, check_weight, wide_dtype
from maxsup.losses._plain_numbers import check_ignore_index
from maxsup.losses._weighted_sum import as_number
from maxsup.losses.numbers import by_hand, plain

Objective = Callable[..., Tensor]
"""Of logits and target; by name, of ``alpha``, ``weight``, ``ignore_index`` and ``reduction``."""


class Head(NamedTuple):
    """An objective behind a linear layer, with everything but the tensors to be trained."""

    objective: Objective
    target: Tensor
    weight: Tensor | None
    alpha: float | Tensor
    ignore_index: int | None
    reduction: str
    rows: int

    def on_logits(self, logits: Tensor, reduction: str) -> Tensor:
        """The objective of the logits of the whole batch."""
        return self.objective(
            logits,
            self.target,
            alpha=self.alpha,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=reduction,
        )

    def chunks(self) -> list[tuple[slice, "Head"]]:
        """The parts of the batch, each with its own part of the target."""
        starts = range(0, len(self.target), self.rows)
        parts = [slice(start, start + self.rows) for start in starts]
        return [(part, self._replace(target=self.target[part])) for part in parts]


def linear_head_loss(
    objective: Objective,
    features: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    linear_bias: Tensor | None,
    alpha: float | Tensor,
    weight: Tensor | None,
    ignore_index: int | None,
    reduction: str,
    chunk_size: int | None,
) -> Tensor:
    """``objective(features @ linear_weight.T + linear_bias, target, ...)`` in chunks of the batch.

    Args:
        objective: Of logits and target; by name, of alpha, weight, ignore_index and reduction.
        features: Shape (N, D) or (D,).
        linear_weight: Shape (K, D).
        target: Class indices, (N,) or (), or probabilities, (N, K) or (K,).
        linear_bias: Shape (K,).
        alpha: As in the objective, with what follows.
        weight: Class weights.
        ignore_index: As in the objective.
        reduction: ``none``, ``sum`` or ``mean``.
        chunk_size: Examples to a chunk; None for a ninth of the batch, at least 128.

    Raises:
        ValueError: A shape or dtype is not as described.
    """
    _check(features, linear_weight, target, linear_bias, chunk_size)
    check_weight(weight, len(linear_weight))
    check_reduction(reduction)
    ignore_index = check_ignore_index(ignore_index)
    alpha, device = as_number(alpha), features.device.type
    if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
        # As torch.nn.functional.linear does there; outside of what differentiates by hand.
        dtype = torch.get_autocast_dtype(device)
        features, linear_weight = features.to(dtype), linear_weight.to(dtype)
        linear_bias = None if linear_bias is None else linear_bias.to(dtype)

    single = features.dim() == 1
    if single:
        features, target = features.unsqueeze(0), target.unsqueeze(0)
    rows = chunk_size or _default_rows(len(features), len(linear_weight))
    head = Head(objective, target, weight, alpha, ignore_index, reduction, rows)
    layer = _Layer(features, linear_weight, linear_bias)
    if len(features) > rows and _differentiates_by_hand(layer, head):
        value: Tensor = _InChunks.apply(*layer, head)
    else:
        value = head.on_logits(F.linear(*layer), reduction)
    return value.squeeze(0) if single and reduction == "none" else value


def _differentiates_by_hand(layer: "_Layer", head: Head) -> bool:
    """Whether the layer's tensors alone need a gradient, and none of them is a special one."""
    trained_too = any(
        isinstance(other, Tensor) and other.requires_grad
        for other in (head.target, head.weight, head.alpha)
    )
    return not trained_too and all(by_hand(tensor) for tensor in layer if tensor is not None)


def _default_rows(batch: int, num_classes: int) -> int:
    """A ninth of the batch; fewer where that alone were half a gigabyte, never few for a matmul."""
    ninth = round(batch / 9 / 32) * 32
    return max(min(ninth, 2**27 // num_classes), 128)


class _Layer(NamedTuple):
    features: Tensor
    linear_weight: Tensor
    linear_bias: Tensor | None


class _InChunks(torch.autograd.Function):
    """Layer and objective, with the gradients of features, weight and bias."""

    @staticmethod
    def forward(
        ctx: Any, features: Tensor, linear_weight: Tensor, linear_bias: Tensor | None, head: Head
    ) -> Tensor:
        layer = _Layer(features, linear_weight, linear_bias)
        # Where the gradients are computed anew, it must not be from what was changed since.
        of_tensors = {
            name: value for name, value in head._asdict().items() if isinstance(value, Tensor)
        }
        ctx.save_for_backward(*layer, *of_tensors.values())
        without: dict[str, Any] = dict.fromkeys(of_tensors)
        ctx.head, ctx.in_head = head._replace(**without), tuple(of_tensors)
        ctx.gradients, ctx.needs = None, ctx.needs_input_grad[:3]
        divisor = _divisor(head, layer)
        # One number comes back for all examples, so their gradients are known up to a factor and
        # can be computed along the way; otherwise the chunks are gone through again for them.
        if any(ctx.needs) and head.reduction != "none":
            value, ctx.gradients = _gradients(layer, ctx.needs, head, divisor, None)
            return value
        values = [
            part.on_logits(F.linear(features[rows], linear_weight, linear_bias), "none")
            for rows, part in head.chunks()
        ]
        value = torch.cat(values)
        if head.reduction == "none":
            return value
        return value.sum() if divisor is None else value.sum() / divisor

    @staticmethod
    def backward(ctx: Any, of_value: Tensor) -> tuple[Tensor | None, ...]:
        saved = ctx.saved_tensors
        layer = _Layer(*saved[: len(ctx.needs)])
        head: Head = ctx.head._replace(
            **dict(zip(ctx.in_head, saved[len(ctx.needs) :], strict=True))
        )
        if plain.must_be_plain([of_value]):
            trained = {
                name: tensor
                for (name, tensor), needed in zip(layer._asdict().items(), ctx.needs, strict=True)
                if needed
            }

            def value_of(*tensors: Tensor) -> Tensor:
                whole = layer._replace(**dict(zip(trained, tensors, strict=True)))
                return head.on_logits(F.linear(*whole), head.reduction)

            given = plain.differentiate(value_of, tuple(trained.values()), [of_value])
            found = dict(zip(trained, given, strict=True))
            return *map(found.get, _Layer._fields), None

        gradients, ctx.gradients = ctx.gradients, None
        if head.reduction == "none":
            _, gradients = _gradients(layer, ctx.needs, head, None, of_value)
        else:
            if gradients is None:  # an earlier backward of a graph that was kept used them up
                _, gradients = _gradients(layer, ctx.needs, head, _divisor(head, layer), None)
            for gradient in gradients:
                if gradient is not None:
                    gradient.mul_(of_value)
        return *(
            None if gradient is None or tensor is None else gradient.to(tensor.dtype)
            for gradient, tensor in zip(gradients, layer, strict=True)
        ), None


def _gradients(
    layer: _Layer,
    needs: tuple[bool, ...],
    head: Head,
    divisor: Tensor | None,
    of_values: Tensor | None,
) -> tuple[Tensor, list[Tensor | None]]:
    """The sum of the values, divided, and its gradients in the precision they are added up in."""
    features, linear_weight, linear_bias = layer
    for_features, for_weight, for_bias = needs
    dtype = wide_dtype(features)
    of_features = torch.empty_like(features) if for_features else None
    of_weight = torch.zeros_like(linear_weight, dtype=dtype) if for_weight else None
    of_bias = (
        torch.zeros(len(linear_weight), dtype=dtype, device=features.device) if for_bias else None
    )
    total = torch.zeros((), dtype=torch.float64, device=features.device)
    scratch = features.new_empty(min(head.rows, len(features)), len(linear_weight))

    for rows, part in head.chunks():
        chunk = features[rows]
        logits = torch.mm(chunk, linear_weight.t(), out=scratch[: len(chunk)])
        if linear_bias is not None:
            logits.add_(linear_bias)
        with torch.enable_grad():
            leaf = logits.detach().requires_grad_()
            values = part.on_logits(leaf, "none" if of_values is not None else "sum")
            if divisor is not None:
                values = values / divisor
            pulled = None if of_values is None else of_values[rows]
            (of_logits,) = torch.autograd.grad(values, leaf, pulled)
        total += values.detach().sum()
        if of_features is not None:
            torch.mm(of_logits, linear_weight, out=of_features[rows])
        if of_weight is not None:
            _add_product(of_weight, of_logits, chunk)
        if of_bias is not None:
            of_bias += of_logits.sum(dim=0, dtype=dtype)
        # Before the next chunk's: not two at a time.
        del leaf, values, of_logits
    return total.to(dtype), [of_features, of_weight, of_bias]


def _add_product(total: Tensor, of_logits: Tensor, chunk: Tensor) -> None:
    """Add of_logitsᵀ·chunk to the total, in the total's own precision."""
    if total.dtype == of_logits.dtype:
        total.addmm_(of_logits.t(), chunk)
    else:
        total += of_logits.t() @ chunk


def _divisor(head: Head, layer: _Layer) -> Tensor | None:
    """What the sum of the values is divided by; None for a sum."""
    if head.reduction != "mean":
        return None
    total = _total_weight(head, len(layer.linear_weight))
    return torch.where(total == 0, 1.0, total).to(wide_dtype(layer.features))


def _total_weight(head: Head, num_classes: int) -> Tensor:
    """The weight of the examples that count, 0-dimensional."""
    target, weight = head.target, head.weight
    if target.is_floating_point():
        if weight is None:
            return torch.full((), len(target), device=target.device, dtype=torch.float64)
        return (target.double() @ weight.double()).sum()
    ignored = head.ignore_index
    kept = torch.ones_like(target, dtype=torch.bool) if ignored is None else target != ignored
    if weight is None:
        return kept.sum(dtype=torch.float64)
    # A label out of range is reported by the objective.
    known = torch.where(kept, target.long(), 0).clamp(0, num_classes - 1)
    return (weight.double()[known] * kept).sum()


def _check(
    features: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    linear_bias: Tensor | None,
    chunk_size: int | None,
) -> None:
    for name, tensor in (("features", features), ("linear_weight", linear_weight)):
        if not isinstance(tensor, Tensor) or not tensor.is_floating_point():
            came = tensor.dtype if isinstance(tensor, Tensor) else type(tensor).__name__
            raise ValueError(f"{name} must be a floating-point tensor; got {came}.")
    if linear_weight.dim() != 2:
        raise ValueError(f"linear_weight must have shape (K, D); got {tuple(linear_weight.shape)}.")
    if features.dim() not in (1, 2) or features.shape[-1] != linear_weight.shape[1]:
        flat = f"features.flatten(0, {features.dim() - 2}) and target.flatten()"
        hint = f" Give {flat}." if features.shape[-1:] == linear_weight.shape[1:] else ""
        raise ValueError(
            f"features must have shape (N, {linear_weight.shape[1]}) or "
            f"({linear_weight.shape[1]},) for a linear_weight of shape "
            f"{tuple(linear_weight.shape)}; got {tuple(features.shape)}.{hint}"
        )
    if linear_bias is not None and linear_bias.shape != linear_weight.shape[:1]:
        raise ValueError(
            f"linear_bias must have shape ({len(linear_weight)},); got {tuple(linear_bias.shape)}."
        )
    if not isinstance(target, Tensor):
        raise ValueError(f"target must be a tensor; got {type(target).__name__}.")
    batch, num_classes = features.shape[:-1], len(linear_weight)
    shape = (*batch, num_classes) if target.is_floating_point() else tuple(batch)
    if tuple(target.shape) != shape:
        raise ValueError(
            f"target must have shape {shape} for features of shape {tuple(features.shape)}; "
            f"got {tuple(target.shape)}."
        )
    if chunk_size is not None and chunk_size < 1:
        raise ValueError(f"chunk_size must be at least 1; got {chunk_size}.")
