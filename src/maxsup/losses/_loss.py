"""The module that every objective extends: settings, scheduled coefficients, state."""

from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor, nn

from maxsup.losses._coefficient import Coefficient
from maxsup.losses._inputs import check_reduction, check_weight_kind
from maxsup.schedules import Schedule, constant


class Loss(nn.Module):
    """Base of the objectives: a drop-in for :class:`torch.nn.CrossEntropyLoss`.

    Holds what they share: class weights, ``ignore_index``, ``reduction``, and coefficients that
    may follow a schedule. A coefficient is a buffer beside the number of steps taken, so both are
    in the ``state_dict`` and a changed coefficient never recompiles. These two stay on the CPU in
    their own precision wherever the module is moved: a 0-dimensional CPU tensor works with tensors
    of any device, without waiting.

    Args:
        weight: Class weights, shape (K,), floating-point; see the objective's function.
        ignore_index: Positions with this label give value and gradient 0 and count in no mean.
        reduction: ``none``, ``sum`` or ``mean``.

    Raises:
        ValueError: ``reduction`` is none of the three, or ``weight`` no floating-point tensor.
    """

    weight: Tensor | None
    count: Tensor
    function: Callable[..., Tensor]
    """The objective: of logits and target; by name, of each coefficient and the settings above."""

    def __init__(
        self,
        weight: Tensor | None = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
    ) -> None:
        super().__init__()
        check_reduction(reduction)
        check_weight_kind(weight)
        self.ignore_index = ignore_index
        self.reduction = reduction
        self.register_buffer("weight", weight)
        self.register_buffer("count", torch.tensor(0))
        self._schedules: dict[str, Schedule] = {}
        self._declared: dict[str, Coefficient] = {}

    def set_schedule(self, coefficient: Coefficient | str, value: float | Schedule) -> None:
        """Hold a coefficient, fixed or following a schedule, in a buffer of its name.

        Args:
            coefficient: What is known of it; or the name that it has in the function alone, where
                any finite number ≥ 0 makes sense.
            value: A number, or a function from the number of steps taken to one.

        Raises:
            ValueError: The coefficient at the present step is out of its range.
        """
        if isinstance(coefficient, str):
            coefficient = Coefficient(coefficient, default=0.0)
        schedule = value if callable(value) else constant(value)
        now = schedule(int(self.count))
        coefficient.check(now)
        self._schedules[coefficient.name] = schedule
        self._declared[coefficient.name] = coefficient
        self.register_buffer(coefficient.name, torch.tensor(now, dtype=torch.float64))

    def step(self) -> None:
        """Advance the scheduled coefficients by one optimiser step.

        Raises:
            ValueError: A schedule gave a coefficient that is out of its range.
        """
        self.count += 1
        count = int(self.count)
        for name, schedule in self._schedules.items():
            now = schedule(count)
            self._declared[name].check(now)
            self.get_buffer(name).fill_(now)

    def end_epoch(self) -> None:
        """Say that an epoch of training is over; most objectives have nothing to do then."""

    def coefficients(self) -> dict[str, float]:
        """The present value of every coefficient, by name."""
        return {name: float(self.get_buffer(name)) for name in self._schedules}

    def settings(self) -> str:
        """The coefficients in words, as ``alpha 0.1 → 0.2 (linear)``."""
        return ", ".join(f"{name} {schedule}" for name, schedule in self._schedules.items())

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """The objective's value.

        Args:
            logits: Shape (N, K), (N, K, d1, ...) or (K,).
            target: Class indices, shape (N,), (N, d1, ...) or (); or probabilities, shaped like
                the logits.

        Returns:
            A float32 (or float64) tensor: 0-dimensional, or one value per position with
            ``reduction="none"``.
        """
        return self.function(
            logits,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            **{name: self.get_buffer(name) for name in self._schedules},
        )

    def extra_repr(self) -> str:
        """What ``print(criterion)`` shows."""
        return ", ".join(
            [
                *(f"{name}={schedule}" for name, schedule in self._schedules.items()),
                *(["weight=..."] if self.weight is not None else []),
                *([f"ignore_index={self.ignore_index}"] if self.ignore_index != -100 else []),
                f"reduction={self.reduction!r}",
            ]
        )

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        kept = {name: self._buffers[name] for name in ("count", *self._schedules)}
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self._buffers.update(kept)
        return self
