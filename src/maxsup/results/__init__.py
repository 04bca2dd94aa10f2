"""What ``results.json`` holds, and how a number of it is shown; nothing here trains.

The numbers may as well be of your own trainings: :mod:`maxsup.statistics` compares them, and
:mod:`maxsup.results.numbers` writes them as maxsup's own tables do.

Example:
    >>> from maxsup.results import numbers
    >>> from maxsup.results.schema import MeasureFacts
    >>> from maxsup.statistics import summarise
    >>> accuracy = {"baseline": {0: 0.71, 1: 0.70, 2: 0.72}, "mine": {0: 0.73, 1: 0.71, 2: 0.74}}
    >>> facts = MeasureFacts(
    ...     name="test_accuracy", label="Accuracy", help="fraction classified right",
    ...     better="higher", percent=True, digits=1, split="test", headline=True,
    ...     detail=False, bounds=[0.0, 1.0],
    ... )
    >>> for method, summary in summarise(accuracy, baseline="baseline").items():
    ...     print(method, numbers.mean_and_std(summary, facts))
    ...     if summary["difference"] is not None:
    ...         print("  against the baseline:", numbers.interval(summary["difference"], facts))
    baseline 71.0 ± 1.0
    mine 72.7 ± 1.5
      against the baseline: +0.2 to +3.1
"""

from maxsup.results._analysis import (
    DEFAULT_PRIMARY,
    Analysed,
    Analysis,
    analyse,
    check_contrasts,
    find_primary,
    margin_of,
    read_contrasts,
)
from maxsup.results._file import (
    RESULTS_FILE,
    SUMMARY_FILE,
    TABLE_FILE,
    read_results,
    write_results,
)
from maxsup.results._guessing import (
    DIVERGENCE_REMEDIES,
    mean_iou_of_one_class,
    no_better_than_guessing,
    no_better_than_one_class,
)
from maxsup.results._shown import shown
from maxsup.results._tuned import chosen_names, tuned_contrasts
from maxsup.results._unfinished import still_rising
from maxsup.results._verdict import analyse_again, verdict
from maxsup.results._without_places import command_without_places, without_places
from maxsup.results.schema import Results

__all__ = [
    "DEFAULT_PRIMARY",
    "DIVERGENCE_REMEDIES",
    "RESULTS_FILE",
    "SUMMARY_FILE",
    "TABLE_FILE",
    "Analysed",
    "Analysis",
    "Results",
    "analyse",
    "analyse_again",
    "check_contrasts",
    "chosen_names",
    "command_without_places",
    "find_primary",
    "margin_of",
    "mean_iou_of_one_class",
    "no_better_than_guessing",
    "no_better_than_one_class",
    "read_contrasts",
    "read_results",
    "shown",
    "still_rising",
    "tuned_contrasts",
    "verdict",
    "without_places",
    "write_results",
]
