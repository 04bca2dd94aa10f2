"""Classes that become rarer and rarer."""

from typing import TypeVar

import torch

from maxsup._seeds import derive_seed
from maxsup.data._splits import LabelledSplit

_Split = TypeVar("_Split", bound=LabelledSplit)


def thin_to_long_tail(split: _Split, imbalance: float, num_classes: int, seed: int) -> _Split:
    """Thin the classes out, each more than the one before it.

    Class k keeps n·imbalance^(−k/(K−1)) samples, rounded down, with n those of the smallest class
    (Cui et al. 2019, and Cao et al. 2019 for balanced data). The test set is left alone.

    Args:
        split: The training part.
        imbalance: Largest by smallest class of the result; at least 1.
        num_classes: K.
        seed: Decides which samples stay.

    Raises:
        ValueError: The smallest class would keep no sample.

    Example:
        >>> from maxsup.data import DataSettings, load_images
        >>> train = load_images(DataSettings("digits")).train
        >>> thin_to_long_tail(train, 10, 10, seed=0).labels.bincount().tolist()
        [122, 94, 73, 56, 43, 33, 26, 20, 15, 12]
    """
    most = int(split.true_labels.bincount(minlength=num_classes).min())
    # The last class keeps n/imbalance: no rounding of the power may take one away.
    fractions = [imbalance ** (-k / (num_classes - 1)) for k in range(num_classes)]
    counts = [int(most * fraction + 1e-6) for fraction in fractions]
    if counts[-1] == 0:
        raise ValueError(
            f"imbalance: the smallest class has {most} training images, so an imbalance of "
            f"{imbalance:g} leaves the last one none. Take at most {most}."
        )
    generator = torch.Generator().manual_seed(derive_seed(seed, "long tail"))
    order = torch.randperm(len(split), generator=generator)
    labels = split.true_labels[order]
    kept = [order[labels == k][:count] for k, count in enumerate(counts)]
    return split.select(torch.cat(kept).sort().values)
