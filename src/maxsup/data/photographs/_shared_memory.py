"""Batches in memory that the training's process sees, so that none is copied to it."""

import math
import warnings

import numpy as np
import torch
from torch import Tensor

from maxsup.data._entry import Pixels

_NO_SHARED_MEMORY = (
    "There is no shared memory left (/dev/shm on Linux), so that batches of images go through "
    "pipes, which takes longer. A container gets more by --shm-size=8g; fewer --workers need less."
)


def batch_memory(shape: tuple[int, ...]) -> Tensor | Pixels:
    """Room for what a process reads: shared if it is not the training's, as far as there is some.

    Where none is left, it is an array, which goes through a pipe.
    """
    if torch.utils.data.get_worker_info() is None:
        return torch.empty(shape, dtype=torch.uint8)
    try:
        return empty_shared(shape)
    except RuntimeError as error:
        if "shared memory" not in str(error):
            raise
        # No tensor, which would be moved to shared memory on its way.
        return np.empty(shape, dtype=np.uint8)


def as_tensor(images: Tensor | Pixels) -> Tensor:
    """What came from the process that read it; it is said where it took the longer way."""
    if isinstance(images, Tensor):
        return images
    warnings.warn(_NO_SHARED_MEMORY, stacklevel=3)
    return torch.from_numpy(images)


def empty_shared(shape: tuple[int, ...]) -> Tensor:
    """Uninitialised uint8 in shared memory.

    It is made there, as torch's own collating does, by a private function of torch; where that is
    missing, it is moved there, which copies what is not filled yet.
    """
    if not hasattr(torch.UntypedStorage, "_new_shared"):
        shared: Tensor = torch.empty(shape, dtype=torch.uint8).share_memory_()
        return shared
    storage = torch.UntypedStorage._new_shared(math.prod(shape))
    memory: Tensor = torch.empty(0, dtype=torch.uint8).set_(storage)
    return memory.view(shape)
