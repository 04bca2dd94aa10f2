"""What reading needs of photographs, whether they are stored or streamed."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from torch import Tensor

from maxsup.data._corrupt import Corrupt, CorruptImages
from maxsup.data.photographs._settings import PhotographSettings

Item = Any
"""What a worker process is told of one photograph: a row of files, or what came of a stream."""


class PhotographFiles(Protocol):
    """Brings the content of photographs, in the process that decodes them."""

    def read(self, item: Item) -> bytes:
        """The content of a photograph's file.

        Raises:
            UnreadableImageError: It cannot be read.
        """

    def describe(self, item: Item, reason: str) -> Corrupt:
        """What is known of a photograph that cannot be read."""


class EpochPlan(NamedTuple):
    """Which part of an epoch to train on, and in which order."""

    seed: int
    """Decides the order."""
    steps: int
    """Batches in the whole epoch."""
    start: int
    """The first of them to take."""
    batch_size: int
    """Photographs in a batch of all processes together."""
    repeats: int
    """How often each photograph comes, one time after the other."""
    rank: int
    processes: int


class PhotographSplit(Protocol):
    """Photographs that are read batch by batch."""

    @property
    def name(self) -> str:
        """The name of the source's split."""

    @property
    def settings(self) -> PhotographSettings:
        """How the photographs are read."""

    @property
    def files(self) -> PhotographFiles:
        """Where their content comes from."""

    @property
    def corrupt(self) -> CorruptImages:
        """Which could not be read so far."""

    def __len__(self) -> int:
        """How many there are."""

    def training_items(self, plan: EpochPlan) -> Iterator[tuple[Sequence[Item], Tensor]]:
        """The photographs of each batch of one process, with their labels (B,)."""

    def digest_of_order(self, plan: EpochPlan) -> bytes:
        """What tells the order of an epoch from that of others."""

    def evaluation_items(
        self, batch_size: int, rank: int, processes: int
    ) -> Iterator[tuple[Sequence[Item], tuple[Tensor, Tensor, Tensor]]]:
        """Each photograph once over all processes, with labels, true labels and ids (B,)."""
