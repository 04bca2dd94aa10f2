"""Processes beside the training's that read batches, in order."""

import sys
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

import torch
from torch.utils.data import DataLoader, Dataset

from maxsup.data.photographs._end_with_parent import EndWithParent

_Job = TypeVar("_Job")
_Sent = TypeVar("_Sent")


class Readers(Generic[_Job, _Sent]):
    """Has batches read by other processes, and brings them back in order.

    Args:
        read: From what is to be read for a batch to what comes of it; sent to the processes.
        workers: How many processes; with none it is this one.
        device: Where the images will go.
        persistent: Keep the processes from one reading to the next.
    """

    def __init__(
        self,
        read: Callable[[_Job], _Sent],
        workers: int,
        device: torch.device,
        *,
        persistent: bool = True,
    ) -> None:
        self._plan: _Plan[_Job] = _Plan()
        self._loader = DataLoader(
            _Calls(read),
            sampler=self._plan,
            batch_size=None,
            num_workers=workers,
            collate_fn=_as_it_is,
            pin_memory=device.type == "cuda",
            persistent_workers=persistent and workers > 0,
            # Of every Python, also where a server would fork in this process's place.
            multiprocessing_context="fork" if workers and sys.platform == "linux" else None,
            # Or it draws from the global one, for workers that draw nothing.
            generator=torch.Generator(),
        )

    def read(self, planned: Iterator[tuple[_Job, Any]]) -> Iterator[tuple[_Sent, Any]]:
        """What comes of each job, with what is known of it already and stays here."""
        self._plan.start(planned)
        # Which are started now, or were by the first reading.
        self._loader.worker_init_fn = EndWithParent()
        for sent in self._loader:
            yield sent, self._plan.known.popleft()


class _Plan(Generic[_Job]):
    """The batches of one reading.

    Apart from the reader, which it would hold in a cycle otherwise: its processes would end when
    the garbage collector comes by, and take seconds for it.
    """

    def __init__(self) -> None:
        self._batches: Iterator[tuple[_Job, Any]] = iter(())
        self.known: deque[Any] = deque()
        """What is known of the batches that are being read, in order."""

    def start(self, batches: Iterator[tuple[_Job, Any]]) -> None:
        self._batches = batches
        self.known.clear()

    def __iter__(self) -> Iterator[_Job]:
        """The jobs, asked for as the processes become free."""
        for job, known in self._batches:
            self.known.append(known)
            yield job


class _Calls(Dataset[_Sent], Generic[_Job, _Sent]):
    """A function as what DataLoader asks for."""

    def __init__(self, read: Callable[[_Job], _Sent]) -> None:
        self._read = read

    def __getitem__(self, job: _Job) -> _Sent:
        return self._read(job)


def _as_it_is(read: Any) -> Any:
    return read
