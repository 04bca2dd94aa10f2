"""The test samples drawn anew: what other samples of the same population would have given."""

import math
from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor

from maxsup.evaluation import Outputs


def draws(samples: int, resamples: int, seed: int) -> Iterator[Tensor]:
    """Indices of samples drawn with replacement, the same for every model of so many samples.

    >>> [index.tolist() for index in draws(3, 2, 0)]
    [[0, 2, 2], [0, 0, 1]]
    """
    generator = torch.Generator().manual_seed(seed)
    for _ in range(resamples):
        yield torch.randint(samples, (samples,), generator=generator).sort().values


def replicates_of_measures(
    outputs: Outputs,
    indices: Iterator[Tensor],
    measure: Callable[[Outputs], Mapping[str, float]],
) -> dict[str, list[float | None]]:
    """Each measure for each draw of the samples.

    Args:
        outputs: Of the test samples.
        indices: The draws.
        measure: Gives the measures of outputs by name, NaN where one does not exist.
    """
    found: dict[str, list[float | None]] = {}
    for index in indices:
        for name, value in measure(outputs.select(index)).items():
            found.setdefault(name, []).append(value if math.isfinite(value) else None)
    return found


def replicates_of_means(
    contributions: Mapping[str, Tensor], indices: Iterator[Tensor]
) -> dict[str, list[float | None]]:
    """For each draw the mean of what the samples contribute, by measure.

    A sample whose contribution is NaN has nothing to say of the measure.
    """
    found: dict[str, list[float | None]] = {name: [] for name in contributions}
    if not contributions:
        return found
    values = {name: each.double() for name, each in contributions.items()}
    for index in indices:
        for name, each in values.items():
            mean = float(each[index].nanmean())
            found[name].append(mean if math.isfinite(mean) else None)
    return found
