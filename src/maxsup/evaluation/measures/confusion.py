"""Which classes are confused with which."""

from maxsup.evaluation._measure import Accumulation, Record
from maxsup.measures import SoftConfusion

CONFUSION = Record(
    name="confusion",
    splits=("train",),
    accumulation=Accumulation(
        build=lambda context: SoftConfusion(context.num_classes),
        update=lambda metric, outputs: metric.update(outputs.logits, outputs.true_labels),
    ),
    value=lambda matrix: matrix,
)
"""(K, K): row i has the mean predicted probabilities over the training samples of class i."""
