"""What training batches are made of."""

from collections.abc import Callable
from dataclasses import dataclass, field

from maxsup.data._mixing import Mixing
from maxsup.data._normalization import Normalization
from maxsup.data.photographs._augmentation import PhotographAugmentation
from maxsup.data.small._augmentation import Augmentation


@dataclass(frozen=True)
class BatchSettings:
    """What training batches are made of."""

    batch_size: int
    """Images in a batch of all processes together."""
    seed: int
    """Decides order and augmentation."""
    normalization: Normalization
    """From uint8 to what the model is given, after augmentation: black stays the darkest value."""
    augmentation: Augmentation | PhotographAugmentation | None = None
    """What to do to the images, in the way that they are kept; by default the least of it."""
    mixing: Mixing = field(default_factory=Mixing)
    """Mixup and CutMix, after augmentation."""
    num_classes: int = 0
    """K, for the targets of mixed images."""
    size: Callable[[int], int] | None = None
    """From the epoch, counted from 0, to the side of its photographs; by default as measured."""

    def check(self, count: int, processes: int) -> None:
        """See that batches can be made of ``count`` images and shared evenly.

        Raises:
            ValueError: They cannot; the message says how to mend it.
        """
        check_batch_size(self.batch_size, count, processes)
        if self.mixing and self.batch_size // processes % 2:
            raise ValueError(
                f"Mixing takes an even number of images in each process; got {self.batch_size} "
                f"over {processes}."
            )


def check_batch_size(batch_size: int, count: int, processes: int) -> None:
    """See that batches of a size can be made of ``count`` images and shared evenly.

    Raises:
        ValueError: They cannot; the message says how to mend it.
    """
    if count < batch_size:
        raise ValueError(
            f"There are {count} training images, fewer than batch_size ({batch_size}). "
            f"Take a batch_size of at most {count}."
        )
    if batch_size % processes:
        raise ValueError(
            f"batch_size ({batch_size}) must be a multiple of the {processes} processes."
        )
