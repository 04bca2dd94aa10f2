"""For the Trainer of Hugging Face's transformers, which this module loads."""

from typing import Any

import torch

from maxsup.losses._loss import Loss

try:
    from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
except ModuleNotFoundError as error:
    # One of its own dependencies it names itself.
    if error.name != "transformers":
        raise
    raise ModuleNotFoundError(
        "maxsup.integrations.transformers needs transformers, which is not installed: "
        "pip install transformers brings it.",
        name=error.name,
    ) from error

__all__ = ["ScheduleCallback"]


class ScheduleCallback(TrainerCallback):  # type: ignore[misc]
    """Advance a criterion's schedule once per optimiser step.

    The criterion follows the Trainer's ``global_step``, which is that of optimiser steps, however
    many batches are accumulated for each. A checkpoint of the Trainer's holds it, so that a
    training that goes on from one has the α that it would have had; and a second ``train()``
    begins the schedule anew.

    Args:
        criterion: An objective of maxsup, the one that ``compute_loss_func`` uses.

    Raises:
        ValueError: It is something else, or has no schedule, or is an objective that learns, such
            as online label smoothing: what it has learned would be in no checkpoint.

    Example:
        >>> import maxsup
        >>> alpha = maxsup.schedules.linear(0.1, 0.2, steps=1000)
        >>> criterion = maxsup.MaxSupLoss(alpha, reduction="sum")
        >>> callback = ScheduleCallback(criterion)  # Trainer(..., callbacks=[callback])
        >>> state = TrainerState(global_step=500)
        >>> callback.on_step_end(None, state, None)
        >>> round(float(criterion.alpha), 3)
        0.15
    """

    def __init__(self, criterion: Loss) -> None:
        if not isinstance(criterion, Loss):
            raise ValueError(
                "criterion must be an objective of maxsup, as maxsup.MaxSupLoss(...); got "
                f"{type(criterion).__name__}."
            )
        if criterion.learned:
            raise ValueError(
                f"{type(criterion).__name__} learns from each epoch, and the Trainer's checkpoints "
                "would not hold what it has learned. Train with it in a loop of your own, or by "
                "maxsup train."
            )
        if "count" not in criterion.state_dict():
            raise ValueError(
                f"criterion has no schedule to advance: {criterion}. Leave the callback away, or "
                "give the criterion one, such as maxsup.schedules.linear(0.1, 0.2, steps=1000)."
            )
        self.criterion = criterion

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        """Go on where the checkpoint was written, or begin."""
        self._follow(state)

    def on_step_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        """Follow the optimiser by one step."""
        self._follow(state)

    def _follow(self, state: TrainerState) -> None:
        # Class weights are the criterion's state too, and stay.
        self.criterion.load_state_dict({"count": torch.tensor(state.global_step)}, strict=False)
