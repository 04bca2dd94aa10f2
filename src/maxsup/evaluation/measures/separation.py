"""How far apart the features of the classes lie (MaxSup paper, Tables 2 and 9)."""

from maxsup.evaluation._measure import Accumulation, Measure
from maxsup.measures import ClassSeparation

_SUMS = Accumulation(
    build=lambda context: ClassSeparation(context.num_classes, context.num_features or 1),
    update=lambda metric, outputs: metric.update(outputs.features, outputs.true_labels),
    needs_features=True,
)

D_WITHIN = Measure(
    name="d_within",
    label="d within",
    help="mean cosine distance between features of one class, on the {split} set",
    better="neither",
    splits=("test", "train"),
    bounds=(0.0, 1.0),
    accumulation=_SUMS,
    value=lambda found: found.within,
)
D_TOTAL = Measure(
    name="d_total",
    label="d total",
    help="mean cosine distance between features of all classes, on the {split} set",
    better="neither",
    splits=("test", "train"),
    bounds=(0.0, 1.0),
    accumulation=_SUMS,
    value=lambda found: found.total,
)
R2 = Measure(
    name="r2",
    label="R²",
    help="class separation 1 − d within / d total: near 1, each class is one tight cluster; very "
    "tight clusters tend to transfer worse, on the {split} set",
    better="neither",
    splits=("test", "train"),
    headline=True,
    bounds=(0.0, 1.0),
    accumulation=_SUMS,
    value=lambda found: found.r2,
)
