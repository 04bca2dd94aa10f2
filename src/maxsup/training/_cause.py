"""Why a training failed, in words."""

import gc

import torch

from maxsup._plugin_lines import with_line
from maxsup.training._diverged import TrainingDiverged


def cause_of(error: Exception) -> str:
    """One line: what went wrong, where in a plug-in, and what to do where that is known."""
    if is_foreseen(error) and not isinstance(error, TrainingDiverged):
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return "out of memory: try --batch-size, --accumulate or --precision bf16"
    return with_line(in_one_line(error), error)


def is_foreseen(error: Exception) -> bool:
    """Whether an error can come from settings and a machine alone, with nothing wrong in a program.

    >>> is_foreseen(RuntimeError("CUDA out of memory")), is_foreseen(KeyError("x"))
    (True, False)
    """
    return isinstance(
        error, TrainingDiverged | torch.OutOfMemoryError | MemoryError
    ) or "out of memory" in str(error)


def in_one_line(error: Exception) -> str:
    """An error's kind and the first line of its message.

    >>> in_one_line(RuntimeError("no luck")), in_one_line(RuntimeError())
    ('RuntimeError: no luck', 'RuntimeError')
    """
    first_line = str(error).strip().splitlines()[0] if str(error).strip() else ""
    return f"{type(error).__name__}: {first_line}" if first_line else type(error).__name__
