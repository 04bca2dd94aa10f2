"""How far a training is."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from maxsup._formats import check_format
from maxsup.training._mechanism import SUMS

FORMAT = 5
"""The format that checkpoints have; 1 was that of version 0.1, which had no number, 2 had no
digest, 3 no sums of the mechanism, and 4 no count of labels."""


@dataclass(frozen=True)
class EpochSums:
    """Sums over the steps of an epoch that are done."""

    step: int = 0
    """How many steps are done."""
    loss: tuple[float, ...] = ()
    """The sum of the images' losses, for each process."""
    mechanism: tuple[tuple[float, ...], ...] = ()
    """The sums of the mechanism, likewise."""
    correct: int = 0
    """How many labels were predicted right, over all processes."""
    counted: int = 0
    """How many labels there were, over all processes."""
    seen: int = 0
    """How many images there were, over all processes."""
    seconds: float = 0.0
    """How long the steps took."""
    figures: Mapping[str, float] = field(default_factory=dict)
    """The learning rate and the coefficients of the epoch's first step."""

    def of_process(self, rank: int, processes: int) -> list[float]:
        """The sums that a process goes on from: of the losses, then those of the mechanism.

        The first process has all of another number of processes.
        """
        rows = [[loss, *more] for loss, more in zip(self.loss, self.mechanism, strict=True)]
        if len(rows) == processes:
            return rows[rank]
        sums = [0.0] * (1 + SUMS)
        return [sum(column) for column in zip(*rows, strict=True)] if rows and rank == 0 else sums


@dataclass(frozen=True)
class Position:
    """All that a training goes on from, beside the states of its model, optimiser and the like.

    Every random stream of a training is a function of its seed and the epoch, so the epoch and the
    step stand for the sampler's position and for the state of every generator.
    """

    data: str
    """SHA-256 of the data."""
    epoch: int = 0
    """How many epochs are done."""
    sums: EpochSums = EpochSums()
    """How far the next epoch is."""
    batches: str = ""
    """SHA-256 of the order and the augmentation of the epochs that are done."""
    history: tuple[Mapping[str, float], ...] = ()
    """The figures of each epoch that is done."""
    settings: str = ""
    """SHA-256 of the settings."""

    def within_epoch(self, sums: EpochSums) -> "Position":
        """The position after some steps of the next epoch."""
        return replace(self, sums=sums)

    def after_epoch(self, digest: str, figures: Mapping[str, float]) -> "Position":
        """The position after one more epoch, whose batches had this digest."""
        row = {"epoch": self.epoch + 1, **figures}
        batches = hashlib.sha256((self.batches + digest).encode()).hexdigest()
        return replace(
            self,
            epoch=self.epoch + 1,
            sums=EpochSums(),
            batches=batches,
            history=(*self.history, row),
        )

    def to_content(self) -> dict[str, Any]:
        """The position as plain values, for a checkpoint."""
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def from_content(
        cls, content: Mapping[str, Any], what: Path | str = "This checkpoint"
    ) -> "Position":
        """The position that :meth:`to_content` wrote.

        Raises:
            ValueError: It has another format.
        """
        fields = dict(content)
        check_format(
            fields.pop("format", 1),
            str(what),
            newest=FORMAT,
            oldest=FORMAT,
            remedy="Remove it to train from the start.",
        )
        sums = EpochSums(**fields.pop("sums"))
        sums = replace(sums, loss=tuple(sums.loss), mechanism=tuple(map(tuple, sums.mechanism)))
        return cls(**{**fields, "sums": sums, "history": tuple(fields["history"])})
