"""The test samples drawn anew: what other samples of the same population would have given."""

import math
from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor


def draws(samples: int, resamples: int, seed: int) -> Iterator[Tensor]:
    """Indices of samples drawn with replacement, the same for every model of so many samples.

    >>> [index.tolist() for index in draws(3, 2, 0)]
    [[0, 2, 2], [0, 0, 1]]
    """
    generator = torch.Generator().manual_seed(seed)
    for _ in range(resamples):
        yield torch.randint(samples, (samples,), generator=generator).sort().values


def replicates_of_values(
    indices: Iterator[Tensor], measure: Callable[[Tensor], Mapping[str, float]]
) -> dict[str, list[float | None]]:
    """Each value for each draw of the samples.

    Args:
        indices: The draws.
        measure: Gives values of the samples at some indices by name, NaN where one does not exist.
    """
    found: dict[str, list[float | None]] = {}
    for index in indices:
        for name, value in measure(index).items():
            found.setdefault(name, []).append(value if math.isfinite(value) else None)
    return found


def replicates_of_means(
    contributions: Mapping[str, Tensor], resamples: int, seed: int
) -> dict[str, list[float | None]]:
    """For each draw the mean of what the samples contribute, by measure.

    The draws are those of :func:`draws` for as many samples as contribute; one whose
    contribution is NaN has nothing to say of the measure.

    >>> replicates_of_means({"x": torch.tensor([0.0, 3.0, 6.0])}, 2, 0)
    {'x': [4.0, 1.0]}
    """
    found: dict[str, list[float | None]] = {}
    for name, values in contributions.items():
        exact = values.double()
        means = [float(exact[each].nanmean()) for each in draws(len(values), resamples, seed)]
        found[name] = [mean if math.isfinite(mean) else None for mean in means]
    return found
