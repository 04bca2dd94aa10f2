"""A split whose images are corrupted as they are read."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch

from maxsup.data._splits import EvaluationBatch, MeasuredImages
from maxsup.data.corruptions._corrupt import corrupt


@dataclass(frozen=True)
class CorruptedSplit:
    """A split after a corruption, to measure a model on; see :func:`corrupt`.

    Example:
        >>> from maxsup.data import DataSettings, load_images
        >>> split = CorruptedSplit(load_images(DataSettings("digits")).test, "fog", 3)
        >>> next(split.evaluation_batches(5)).images.shape
        torch.Size([5, 1, 8, 8])
    """

    split: MeasuredImages
    kind: str
    severity: int
    seed: int = 0

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        return self.split.image_shape

    def evaluation_batches(
        self,
        batch_size: int,
        *,
        device: torch.device | str = "cpu",
        rank: int = 0,
        processes: int = 1,
    ) -> Iterator[EvaluationBatch]:
        """The split's batches, corrupted, on the device."""
        batches = self.split.evaluation_batches(
            batch_size, device="cpu", rank=rank, processes=processes
        )
        for batch in batches:
            images = corrupt(batch.images, self.kind, self.severity, ids=batch.ids, seed=self.seed)
            yield replace(
                batch,
                images=images.to(device, non_blocking=True),
                labels=batch.labels.to(device, non_blocking=True),
                true_labels=batch.true_labels.to(device, non_blocking=True),
            )
