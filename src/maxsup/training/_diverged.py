"""A training that makes no sense any more."""

import contextlib
import math
from collections.abc import Iterator

from maxsup.results import DIVERGENCE_REMEDIES
from maxsup.training._settings import RunSettings


class TrainingDiverged(RuntimeError):
    """The loss, or what the model gives, is no longer a finite number."""


@contextlib.contextmanager
def diverging(settings: RunSettings, epoch: int) -> Iterator[None]:
    """A block in which a model may turn out to give infinite numbers, or NaN.

    Raises:
        TrainingDiverged: It does.
    """
    try:
        yield
    except FloatingPointError as error:
        raise TrainingDiverged(
            f"what the model gives became infinite or NaN in epoch {epoch + 1} of "
            f"{settings.recipe.epochs}; {DIVERGENCE_REMEDIES} may keep it finite"
        ) from error


def check_finite(value: float, what: str, settings: RunSettings, epoch: int) -> None:
    """See that a training still makes sense.

    Args:
        value: What must be finite.
        what: What it is, for the message.
        settings: What is trained.
        epoch: The epoch that is being trained, from 0.

    Raises:
        TrainingDiverged: The value is infinite or NaN.
    """
    if not math.isfinite(value):
        raise TrainingDiverged(
            f"{what} became {value} in epoch {epoch + 1} of {settings.recipe.epochs}; "
            f"{DIVERGENCE_REMEDIES} may keep it finite"
        )
