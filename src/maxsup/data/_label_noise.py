"""Wrong labels, to see what a method makes of them."""

from typing import TypeVar

import torch

from maxsup._seeds import derive_seed
from maxsup.data._splits import LabelledSplit

_Split = TypeVar("_Split", bound=LabelledSplit)


def add_label_noise(split: _Split, fraction: float, num_classes: int, seed: int) -> _Split:
    """Replace a fraction of the labels by a wrong class.

    Symmetric noise: exactly round(fraction·N) samples, drawn without replacement, each get a class
    drawn evenly from the others. The true labels are kept beside.
    """
    generator = torch.Generator().manual_seed(derive_seed(seed, "label noise"))
    count = round(fraction * len(split))
    chosen = torch.randperm(len(split), generator=generator)[:count]
    shift = torch.randint(1, num_classes, (count,), generator=generator)
    labels = split.labels.clone()
    labels[chosen] = (labels[chosen] + shift) % num_classes
    return split.with_labels(labels)
