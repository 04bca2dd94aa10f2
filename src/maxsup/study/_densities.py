"""How each method's logits are distributed over its seeds (MaxSup paper, Figure 2)."""

import statistics
from collections.abc import Mapping, Sequence

import torch

from maxsup.evaluation import LOGIT_COUNTS
from maxsup.measures import logit_densities
from maxsup.results import schema
from maxsup.training import RunResult

_BEYOND = 5.0
"""How many times the median spread a method's logits may have and still share the others' axis."""


def pooled_logits(
    methods: Sequence[str], finished: Mapping[tuple[str, int], RunResult]
) -> dict[str, schema.LogitDensity]:
    """The density of each method's logits over its finished seeds.

    On common edges, so that methods can be compared; but one that spreads far beyond the others
    would press them into a line, and has edges of its own.
    """
    counts = {
        method: [
            run.records[LOGIT_COUNTS.name]
            for (of, _), run in finished.items()
            if of == method and LOGIT_COUNTS.name in run.records
        ]
        for method in methods
    }
    pooled = {method: torch.stack(each).sum(dim=0) for method, each in counts.items() if each}
    if not pooled:
        return {}
    spreads = {method: _spread(each) for method, each in pooled.items()}
    usual = _BEYOND * statistics.median(spreads.values())
    common = [method for method in pooled if spreads[method] <= usual]
    found: dict[str, schema.LogitDensity] = {}
    for group in (common, *([method] for method in pooled if method not in common)):
        edges, densities = logit_densities([pooled[method] for method in group])
        for method, density in zip(group, densities, strict=True):
            found[method] = schema.LogitDensity(edges=edges, density=density)
    return found


def _spread(counts: torch.Tensor) -> float:
    """The standard deviation of a histogram, in bins."""
    fraction = counts.double() / counts.sum().clamp(min=1)
    bins = torch.arange(len(counts), dtype=torch.float64)
    mean = (fraction * bins).sum()
    return float((fraction * (bins - mean).square()).sum().sqrt())
