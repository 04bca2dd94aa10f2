"""Which measures are taken when, and how results list them."""

from itertools import groupby

from maxsup.evaluation._measure import Measure, Record
from maxsup.evaluation._probe import PROBE_FACTS
from maxsup.evaluation.measures import MEASURES, RECORDS
from maxsup.results.schema import MeasureFacts, SplitName


def measures_on(split: SplitName) -> list[Measure]:
    """The measures that are reported of a trained model on a split."""
    return [measure for measure in MEASURES if split in measure.splits]


def records_on(split: SplitName) -> list[Record]:
    """The records that are kept of a trained model on a split."""
    return [record for record in RECORDS if split in record.splits]


def measures_each_epoch() -> list[Measure]:
    """The measures that are taken after every epoch."""
    return [measure for measure in MEASURES if measure.each_epoch]


def measure_facts(*, probe: bool = False) -> list[MeasureFacts]:
    """How results describe all measures, in the order of the table.

    Measures of several splits that share their work stand together, split by split.

    Args:
        probe: Whether the finished models were probed, see :func:`measure_probe`.

    Example:
        >>> [facts["name"] for facts in measure_facts()][:3]
        ['test_accuracy', 'test_nll', 'test_ece']
    """
    facts = []
    for (_, splits), group in groupby(MEASURES, key=lambda each: (each.accumulation, each.splits)):
        together = list(group)
        facts += [measure.facts(split) for split in splits for measure in together]
    return facts + list(PROBE_FACTS if probe else ())
