"""Selective classification: what is gained if the least confident samples are set aside."""

from maxsup.evaluation._measure import Accumulation, Measure, Record
from maxsup.measures import SelectiveClassification

_KEPT = Accumulation(
    build=lambda context: SelectiveClassification(risks=(0.01, 0.05)),
    update=lambda metric, outputs: metric.update(outputs.logits, outputs.true_labels),
)

AURC = Measure(
    name="aurc",
    label="AURC",
    help="area under the risk-coverage curve: the error among the most confident {split} samples, "
    "as the mean over how many of them are answered; it depends on the order of the confidences "
    "alone, not on their level",
    better="lower",
    headline=True,
    percent=True,
    digits=2,
    accumulation=_KEPT,
    value=lambda found: found.aurc,
)
AUGRC = Measure(
    name="augrc",
    label="AUGRC",
    help="the same with errors counted per {split} sample instead of per answer, so that errors of "
    "high confidence do not weigh more than others: the chance of an error that is not caught",
    better="lower",
    detail=True,
    percent=True,
    digits=2,
    accumulation=_KEPT,
    value=lambda found: found.augrc,
)
AUROC = Measure(
    name="auroc_right",
    label="AUROC, right against wrong",
    help="probability that a {split} sample it gets right is more confident than one it gets "
    "wrong; 50 % is chance, and how many are wrong plays no part",
    better="higher",
    detail=True,
    percent=True,
    digits=2,
    accumulation=_KEPT,
    value=lambda found: found.auroc,
)
COVERAGE_1 = Measure(
    name="coverage_at_1",
    label="Coverage at 1 % risk",
    help="the largest fraction of {split} samples that a threshold on the confidence can answer "
    "with at most 1 % of the answers wrong",
    better="higher",
    detail=True,
    percent=True,
    digits=1,
    accumulation=_KEPT,
    value=lambda found: found.coverage[0],
)
COVERAGE_5 = Measure(
    name="coverage_at_5",
    label="Coverage at 5 % risk",
    help="the same with at most 5 % of the answers wrong, on the {split} set",
    better="higher",
    detail=True,
    percent=True,
    digits=1,
    accumulation=_KEPT,
    value=lambda found: found.coverage[1],
)
RISK_COVERAGE = Record(
    name="risk_coverage",
    splits=("test",),
    accumulation=_KEPT,
    value=lambda found: found.risk,
)
"""(100,) float64: the error among the most confident 1 %, 2 %, …, 100 % of the samples."""
