"""Batches in memory that the training's process sees, so that none is copied to it."""

import math

import torch
from torch import Tensor


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
