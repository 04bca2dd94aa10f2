"""Which classes are confused with which."""

from maxsup.evaluation._measure import Accumulation, Record
from maxsup.measures import SoftConfusion

CONFUSION = Record(
    name="confusion",
    splits=("train",),
    accumulation=Accumulation(
        build=lambda context: SoftConfusion(context.num_classes),
        update=lambda metric, outputs: metric.update(outputs.logits, outputs.true_labels),
        most_classes=4_096,  # 128 MiB in float64, and as much in each run's directory
    ),
    value=lambda matrix: matrix,
)
"""(K, K): row i has the mean predicted probabilities over the training samples of class i.

Left out where there are too many classes."""
