"""The batches that a model is measured on."""

from collections.abc import Iterator

import torch

from maxsup.data._images import AnySplit, Split
from maxsup.data._loaded import photograph_evaluation_batches


def evaluation_batches(
    split: AnySplit,
    batch_size: int,
    *,
    device: torch.device | str = "cpu",
    rank: int = 0,
    processes: int = 1,
) -> Iterator[Split]:
    """A split in order, each sample once over all processes.

    Of photographs the central parts; one that cannot be read is left out, and noted in
    ``split.corrupt``.

    Yields:
        Parts of at most ``batch_size`` samples, on the device, as uint8.

    Raises:
        ValueError: More photographs cannot be read than may be; the message lists them.

    Example:
        >>> from maxsup.data import DataSettings, load_images
        >>> test = load_images(DataSettings("digits")).test
        >>> [len(part) for part in evaluation_batches(test, 256)]
        [256, 256, 28]
    """
    if not isinstance(split, Split):
        yield from photograph_evaluation_batches(
            split, batch_size, device=device, rank=rank, processes=processes
        )
        return
    share = -(-len(split) // processes)
    mine = range(rank * share, min((rank + 1) * share, len(split)))
    for start in range(mine.start, mine.stop, batch_size):
        part = slice(start, min(start + batch_size, mine.stop))
        yield Split(
            split.images[part].to(device, non_blocking=True),
            split.labels[part].to(device, non_blocking=True),
            split.true_labels[part].to(device, non_blocking=True),
            split.ids[part].to(device, non_blocking=True),
        )
