"""What else differs strongly: the verdict's second sentence, which explores and decides nothing.

A difference is named where all of this holds:

- it is one of the measures in ``_LOOKED_AT``, all of which are of other things than the level of
  the confidence: calibration after temperature, and the risk of a model that may keep silent;
- the whole paired interval lies beyond 0, at the level 1 − 0.05/m with Bonferroni's m, the number
  of these measures times the number of the study's contrasts;
- the mean difference is at least a tenth of the mean of what is compared with.
"""

from collections.abc import Mapping, Sequence

from maxsup.results._analysis import Analysed
from maxsup.results._wording import called
from maxsup.results.schema import MeasureFacts, Run
from maxsup.statistics import FEWEST_PAIRS, judge

_LOOKED_AT = ("test_nll_scaled", "test_ece_scaled", "test_aurc")
_STRONG = 0.1
"""The least relative difference that is called strong."""
_NAMED = 3
"""Methods that are named of each measure."""


def also_differs(analysed: Analysed, labels: Mapping[str, str], runs: Sequence[Run]) -> str:
    """The second sentence of the verdict; empty where nothing else differs strongly.

    Args:
        analysed: What was found.
        labels: The methods' labels by name.
        runs: The runs of the study.
    """
    looked_at = [measure for measure in analysed.measures[1:] if measure["name"] in _LOOKED_AT]
    found = [
        f"{_word(measure)} is {', '.join(_shortened(differing))}"
        for measure in looked_at
        if (differing := _strong(analysed, measure, len(looked_at), labels, runs))
    ]
    if not found:
        return ""
    return (
        f"Beside it, explored and not concluded: {'; '.join(found)}. Such differences ask to be "
        "seen again with new seeds."
    )


def _strong(
    analysed: Analysed,
    measure: MeasureFacts,
    looked_at: int,
    labels: Mapping[str, str],
    runs: Sequence[Run],
) -> list[str]:
    """In words which contrasts differ strongly in a measure, the furthest first."""
    name = measure["name"]
    values: dict[str, dict[int, float | None]] = {method: {} for method in labels}
    for run in runs:
        values[run["method"]][run["seed"]] = run["values"].get(name)
    pairs = [(each["method"], each["against"]) for each in analysed.contrasts]
    differing = []
    # Where the study was asked to pair nothing, neither is anything here.
    unpaired = all("unpaired" in each for each in analysed.contrasts)
    # Named several times, each pair counts as often in Bonferroni's number.
    for each in judge(values, pairs * looked_at, margin=1.0, unpaired=unpaired)[: len(pairs)]:
        low, high, seeds = each["low"], each["high"], each["seeds"]
        if low is None or high is None or len(seeds) < FEWEST_PAIRS or low <= 0 <= high:
            continue
        other = values[each["against"]]
        # Unpaired, the mean is over all that there are.
        compared = other.keys() if "unpaired" in each else seeds
        of_other = [value for seed in compared if (value := other[seed]) is not None]
        level = abs(sum(of_other) / len(of_other))
        mean = each["mean"] or 0.0
        if level > 0 and abs(mean) >= _STRONG * level:
            against = called(each["against"], labels)
            way = "lower" if mean < 0 else "higher"
            differing.append(
                (
                    abs(mean) / level,
                    f"{100 * abs(mean) / level:.0f} % {way} with {labels[each['method']]} than "
                    f"with {against}",
                )
            )
    return [words for _, words in sorted(differing, key=lambda each: -each[0])]


def _shortened(differing: list[str]) -> list[str]:
    more = len(differing) - _NAMED
    return differing if more <= 0 else [*differing[:_NAMED], f"and {more} more pairs differ so"]


def _word(measure: MeasureFacts) -> str:
    words = {
        "test_nll_scaled": "NLL after one temperature",
        "test_ece_scaled": "ECE after one temperature",
        "test_aurc": "the selective risk (AURC)",
    }
    return words[measure["name"]]
