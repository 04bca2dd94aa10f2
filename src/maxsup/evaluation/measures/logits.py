"""How the logits are distributed (MaxSup paper, Figure 2)."""

from maxsup.evaluation._measure import Accumulation, Record
from maxsup.measures import LogitHistogram

LOGIT_COUNTS = Record(
    name="logit_counts",
    splits=("test",),
    accumulation=Accumulation(
        build=lambda context: LogitHistogram(),
        update=lambda metric, outputs: metric.update(outputs.logits),
    ),
    value=lambda counts: counts,
)
"""The counts of :class:`maxsup.measures.LogitHistogram`."""
