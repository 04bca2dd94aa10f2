"""The processes and devices to train on."""

import os

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedType

from maxsup.evaluation import Execution
from maxsup.recipes import Recipe


def build_accelerator(recipe: Recipe) -> Accelerator:
    """The processes and devices to train on, as the environment gives them."""
    if torch.cuda.is_available():
        torch.backends.cudnn.benchmark = not recipe.deterministic
        # Read by cuBLAS when it starts; without it its results vary from run to run.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(recipe.deterministic, warn_only=True)
    precision = "bf16" if recipe.precision == "bf16" else "no"
    _forget_other_precision(precision)
    accelerator = Accelerator(
        mixed_precision=precision,
        # Unless told so, processes on CPUs do not find each other.
        cpu=not torch.accelerator.is_available(),
    )
    if accelerator.distributed_type not in _DATA_PARALLEL:
        raise ValueError(
            f"accelerate is set up for {accelerator.distributed_type.value}. Here every process "
            "holds the whole model, which at these sizes is the fastest way: set it up for data "
            "parallelism (accelerate launch --multi_gpu), or use torchrun."
        )
    return accelerator


def _forget_other_precision(precision: str) -> None:
    """Let trainings of different precision follow each other in one process, as in a notebook.

    accelerate keeps the first one's settings for the whole process, and refuses others.
    """
    kept = AcceleratorState._shared_state
    if kept and kept.get("_mixed_precision") != precision:
        AcceleratorState._reset_state()


_DATA_PARALLEL = (
    DistributedType.NO,
    DistributedType.MULTI_GPU,
    DistributedType.MULTI_CPU,
    DistributedType.MULTI_XPU,
)


def execution_of(accelerator: Accelerator) -> Execution:
    """Where a pass over a split runs, so that all processes share it."""
    return Execution(
        accelerator.device,
        accelerator.process_index,
        accelerator.num_processes,
        accelerator.autocast,
    )
