"""The module that every objective extends: settings, scheduled coefficients, state."""

from collections.abc import Callable
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from maxsup.losses._coefficient import Coefficient
from maxsup.losses._inputs import check_reduction, check_weight_kind
from maxsup.losses._plain_numbers import check_ignore_index
from maxsup.losses._torch_arguments import naming_what_to_write
from maxsup.losses._torch_private import beside_fakes, without_fakes
from maxsup.schedules import Schedule, constant, is_constant


class Loss(nn.Module):
    """Base of the objectives: a drop-in for :class:`torch.nn.CrossEntropyLoss`.

    Holds what they share: class weights, ``ignore_index``, ``reduction``, and coefficients that
    may follow a schedule. A coefficient is a buffer beside the number of steps taken, so a changed
    coefficient never recompiles. These two stay on the CPU in their own precision wherever the
    module is made or moved: a 0-dimensional CPU tensor works with tensors of any device, without
    waiting. They are replaced and never changed in place, so that a value computed before
    :meth:`step` has its gradient after it.

    The ``state_dict`` holds what training changes: a coefficient that follows a schedule and the
    number of steps. One that stays is an argument, as torch's ``label_smoothing`` is, and left out.
    So a model's checkpoint from the time when it held torch's criterion is loaded, strictly too;
    what it does not hold stays as it is, and a schedule begins.

    Args:
        weight: Class weights, shape (K,), floating-point; see the objective's function.
        ignore_index: Positions with this label give value and gradient 0 and count in no mean; None
            where no label is meant.
        reduction: ``none``, ``sum`` or ``mean``.

    Raises:
        ValueError: ``reduction`` is none of the three, ``weight`` no floating-point tensor, or
            ``ignore_index`` no integer.
        TypeError: An argument that torch's criterion takes has another name here, which is said.
    """

    weight: Tensor | None
    count: Tensor
    function: Callable[..., Tensor]
    """The objective: of logits and target; by name, of each coefficient and the settings above."""
    learned: ClassVar[tuple[str, ...]] = ()
    """The buffers, if any, that hold what the criterion has learned."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__init__" in vars(cls):
            cls.__init__ = naming_what_to_write(cls.__init__)  # type: ignore[method-assign]

    @naming_what_to_write
    def __init__(
        self,
        weight: Tensor | None = None,
        *,
        ignore_index: int | None = -100,
        reduction: str = "mean",
    ) -> None:
        super().__init__()
        check_reduction(reduction)
        check_weight_kind(weight)
        self.ignore_index = check_ignore_index(ignore_index)
        self.reduction = reduction
        self.register_buffer("weight", weight)
        self.register_buffer("count", _on_cpu(0))
        self._schedules: dict[str, Schedule] = {}
        self._declared: dict[str, Coefficient] = {}

    def set_schedule(self, coefficient: Coefficient | str, value: float | Schedule) -> None:
        """Hold a coefficient, fixed or following a schedule, in a buffer of its name.

        Args:
            coefficient: What is known of it; or the name that it has in the function alone, where
                any finite number ≥ 0 makes sense.
            value: A number, or a function from the number of steps taken to one.

        Raises:
            ValueError: The coefficient at the present step is out of its range, or a tensor that is
                to be trained.
        """
        if isinstance(coefficient, str):
            coefficient = Coefficient(coefficient, default=0.0)
        name = coefficient.name
        given: object = value
        if isinstance(given, Tensor) and given.requires_grad:
            raise ValueError(
                f"{name} must be a number or a schedule; got a tensor that needs a gradient, which "
                "a criterion does not train. Give it to the function in maxsup.functional."
            )
        self._declared[name] = coefficient
        schedule = value if callable(value) else constant(self._checked(name, value))
        now = self._checked(name, schedule(self._steps_taken()))
        self._schedules[name] = schedule
        self.register_buffer(name, _on_cpu(now, torch.float64))

    def step(self) -> None:
        """Advance the scheduled coefficients by one optimiser step; fixed ones stay as they are.

        Raises:
            ValueError: A schedule gave a coefficient that is out of its range.
        """
        count = self._steps_taken() + 1
        self.count = _on_cpu(count)
        for name, schedule in self._schedules.items():
            if not is_constant(schedule):
                self._follow(name, count)

    def reset_parameters(self) -> None:
        """Put the coefficients, and what was learned, where they are before the first step.

        By this name torch's loops for modules made on the meta device ask for it, after
        ``to_empty``. Class weights stay as they are.
        """
        self.count = _on_cpu(0)
        for name in self._schedules:
            self._follow(name, 0)

    def _follow(self, name: str, count: int) -> None:
        """Put a coefficient where its schedule has it after so many steps."""
        now = self._checked(name, self._schedules[name](count))
        setattr(self, name, _on_cpu(now, torch.float64))

    def _checked(self, name: str, value: object) -> float:
        """A coefficient as a plain number, if it is in its range."""
        return float(self._declared[name].check(value))

    def end_epoch(self) -> None:
        """Say that an epoch of training is over; most objectives have nothing to do then."""

    def coefficients(self) -> dict[str, float]:
        """The present value of every coefficient, by name."""
        return {name: self._value(name) for name in self._schedules}

    def _steps_taken(self) -> int:
        with without_fakes():
            return int(self.count)

    def _value(self, name: str) -> float:
        with without_fakes():
            return float(self.get_buffer(name))

    def settings(self) -> str:
        """The coefficients in words, as ``alpha 0.1 → 0.2 (linear)``."""
        return ", ".join(
            f"{name} {f'{self._value(name):g}' if is_constant(schedule) else schedule}"
            for name, schedule in self._schedules.items()
        )

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The objective's value.

        Args:
            input: Logits, shape (N, K), (N, K, d1, ...) or (K,).
            target: Class indices, shape (N,), (N, d1, ...) or (); or probabilities, shaped like
                the logits.

        Returns:
            A float32 (or float64) tensor: 0-dimensional, or one value per position with
            ``reduction="none"``.
        """
        return self.function(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            **self._values_beside(input),
        )

    def _values_beside(self, logits: Tensor) -> dict[str, Tensor | float]:
        """The present coefficients, to be given to the function together with these logits."""
        present = {name: self.get_buffer(name) for name in self._schedules}
        if torch.compiler.is_compiling():
            return dict(present)
        return {name: beside_fakes(value, logits) for name, value in present.items()}

    def extra_repr(self) -> str:
        """What ``print(criterion)`` shows."""
        return ", ".join(
            [
                *(
                    f"{name}={self._value(name):g}"
                    + ("" if is_constant(schedule) else f" of {schedule}")
                    for name, schedule in self._schedules.items()
                ),
                *(["weight=..."] if self.weight is not None else []),
                *([f"ignore_index={self.ignore_index}"] if self.ignore_index != -100 else []),
                f"reduction={self.reduction!r}",
            ]
        )

    def _save_to_state_dict(
        self, destination: dict[str, Any], prefix: str, keep_vars: bool
    ) -> None:
        """Leave out what does not move."""
        super()._save_to_state_dict(destination, prefix, keep_vars)
        moving = [name for name, schedule in self._schedules.items() if not is_constant(schedule)]
        for name in ("count", *self._schedules):
            if not moving or name not in ("count", *moving):
                del destination[prefix + name]

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Take what the state holds, and miss nothing that another criterion does not save."""
        own = ("count", *self._schedules)
        # What is loaded is written into the buffers, which a graph may still need as they are.
        self._buffers.update({name: self.get_buffer(name).clone() for name in own})
        missing: list[str] = []
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, strict, missing, unexpected_keys, error_msgs
        )
        self._buffers.update({name: self.get_buffer(name).cpu() for name in own})
        for name, schedule in self._schedules.items():
            if prefix + name in missing and not is_constant(schedule):
                self._follow(name, self._steps_taken())
        tolerated = {prefix + name for name in own}
        learned = {prefix + name for name in self.learned}
        if learned <= set(missing):
            tolerated |= learned
        missing_keys += [key for key in missing if key not in tolerated]

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        kept = {name: self._buffers[name] for name in ("count", *self._schedules)}
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self._buffers.update(kept)
        return self


def _on_cpu(value: float, dtype: torch.dtype | None = None) -> Tensor:
    """A number as a tensor that any graph may keep, whatever device and mode are the default."""
    with torch.inference_mode(False), without_fakes():
        return torch.tensor(value, dtype=dtype, device="cpu")
