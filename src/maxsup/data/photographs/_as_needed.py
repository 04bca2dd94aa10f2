"""What photographs have in common that are read as they are needed, stored or streamed."""

from collections.abc import Iterator

import torch

from maxsup.data._batch_settings import BatchSettings
from maxsup.data._normalization import IMAGENET_MEAN, IMAGENET_STD, ChannelStatistics
from maxsup.data._splits import EvaluationBatch
from maxsup.data.photographs._batches import LoadedBatches
from maxsup.data.photographs._evaluation import central_batches
from maxsup.data.photographs._split import PhotographSplit


class ReadAsNeeded:
    """What a :class:`PhotographSplit` needs to be a :class:`maxsup.data.ImageSplit`; a mixin."""

    @property
    def image_shape(self: PhotographSplit) -> tuple[int, int, int]:
        """Channels, height and width of the images when a model is measured."""
        return 3, self.settings.size, self.settings.size

    def channel_statistics(self) -> ChannelStatistics:
        """ImageNet's mean and standard deviation: photographs are not read for their own."""
        return ChannelStatistics(IMAGENET_MEAN, IMAGENET_STD)

    def training_batches(
        self: PhotographSplit,
        settings: BatchSettings,
        *,
        device: torch.device | str = "cpu",
        rank: int = 0,
        processes: int = 1,
    ) -> LoadedBatches:
        """Batches of random parts; see :meth:`maxsup.data.ImageSplit.training_batches`.

        Raises:
            ValueError: The batches cannot be made; the message says how to mend it.
        """
        return LoadedBatches(self, settings, device=device, rank=rank, processes=processes)

    def evaluation_batches(
        self: PhotographSplit,
        batch_size: int,
        *,
        device: torch.device | str = "cpu",
        rank: int = 0,
        processes: int = 1,
    ) -> Iterator[EvaluationBatch]:
        """The central parts, shared by the processes as ``evaluation_items`` divides them.

        Yields:
            Batches of at most ``batch_size`` samples, without those that cannot be read.

        Raises:
            ValueError: More cannot be read than may be; the message lists them.
        """
        return central_batches(self, batch_size, device=device, rank=rank, processes=processes)
