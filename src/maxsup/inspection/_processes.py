"""What several processes do together, as torchrun starts them.

All do the same; passes over images are shared, and the first process alone reads what was kept and
writes.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import distributed

_T = TypeVar("_T")


@contextmanager
def joined_processes() -> Iterator[None]:
    """Let the processes that torchrun started find each other, where they have not."""
    several = int(os.environ.get("WORLD_SIZE", "1")) > 1 and distributed.is_available()
    if not several or distributed.is_initialized():
        yield
        return
    # What is exchanged lies in main memory.
    distributed.init_process_group("gloo")
    try:
        yield
    finally:
        distributed.destroy_process_group()


def rank_and_number() -> tuple[int, int]:
    """This process's number, and how many there are."""
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1


def is_first() -> bool:
    """Whether this is the process that reads what was kept, and writes."""
    return rank_and_number()[0] == 0


def own_device() -> torch.device:
    """The accelerator of this process, else the CPU."""
    found = torch.accelerator.current_accelerator(check_available=True)
    if found is None:
        return torch.device("cpu")
    if rank_and_number()[1] == 1:
        return found
    index = int(os.environ.get("LOCAL_RANK", "0")) % max(torch.accelerator.device_count(), 1)
    torch.accelerator.set_device_index(index)
    return torch.device(found.type, index)


def from_first(make: Callable[[], _T]) -> _T:
    """What the first process makes, in every one; or the error that it meets there.

    Args:
        make: Called in the first process alone.
    """
    if rank_and_number()[1] == 1:
        return make()
    made: list[Any] = [None, None]
    if is_first():
        try:
            made = [make(), None]
        except Exception as error:  # for all, or the others would wait for ever
            made = [None, error]
    distributed.broadcast_object_list(made)
    if made[1] is not None:
        raise made[1]
    found: _T = made[0]
    return found
