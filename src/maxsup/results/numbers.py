"""How numbers are written, in the terminal and on the page."""

from collections.abc import Sequence

from maxsup.results._wording import named_seeds
from maxsup.results.schema import ImageContrast, MeasureFacts, Results
from maxsup.statistics import Contrast, Difference, Summary

NOTHING = "–"
_LONG = 100_000
"""From here on a number is written with an exponent."""


def number(value: float | None, measure: MeasureFacts, *, signed: bool = False) -> str:
    """A measure's value; fractions that are read in per cent are multiplied by 100.

    >>> facts = {"percent": True, "digits": 2}
    >>> number(0.12345, facts), number(-0.5, facts, signed=True), number(None, facts)
    ('12.35', '−50.00', '–')
    >>> number(11456043.965, {"percent": False, "digits": 3})
    '1.15e+07'
    """
    if value is None:
        return NOTHING
    shown = 100 * value if measure["percent"] else value
    # What diverged would take a column for itself.
    form = f".{measure['digits']}f" if abs(shown) < _LONG else ".3g"
    text = f"{shown:{'+' if signed else ''}{form}}"
    return text.replace("-", "−")


def mean_and_std(summary: Summary, measure: MeasureFacts) -> str:
    """A mean with its standard deviation over seeds, where there are several.

    >>> facts = {"percent": False, "digits": 1}
    >>> mean_and_std({"n": 2, "mean": 1.0, "std": 0.5, "difference": None}, facts)
    '1.0 ± 0.5'
    """
    mean = number(summary["mean"], measure)
    return mean if summary["std"] is None else f"{mean} ± {number(summary['std'], measure)}"


def interval(difference: Difference | Contrast | ImageContrast, measure: MeasureFacts) -> str:
    """The 95 % interval of a difference, empty where there is none."""
    if difference["low"] is None or difference["high"] is None:
        return ""
    low = number(difference["low"], measure, signed=True)
    return f"{low} to {number(difference['high'], measure, signed=True)}"


def difference_and_interval(difference: Difference | Contrast, measure: MeasureFacts) -> str:
    """A mean difference, and its 95 % interval where there is one.

    >>> facts = {"percent": True, "digits": 1}
    >>> difference_and_interval({"mean": 0.01, "low": -0.002, "high": 0.022}, facts)
    '+1.0, −0.2 to +2.2'
    """
    mean, ends = number(difference["mean"], measure, signed=True), interval(difference, measure)
    return f"{mean}, {ends}" if ends else mean


def seeds_used(found: Summary | Difference | Contrast, seeds: Sequence[int]) -> str:
    """The seeds that a mean or a difference is over, in words; empty where these are all.

    >>> found = {"seeds": [0, 1, 2, 4]}
    >>> seeds_used(found, [0, 1, 2, 4]), seeds_used(found, range(5)), seeds_used(found, range(9))
    ('', 'without seed 3', 'seeds 0, 1, 2 and 4')
    """
    used = found.get("seeds")
    missing = [] if used is None else sorted(set(seeds) - set(used))
    if not missing or used is None:
        return ""
    if not used:
        return "no seed"
    if len(missing) < len(used):
        return f"without {named_seeds(missing)}"
    return named_seeds(used)


def any_failed(results: Results) -> bool:
    """Whether any run failed."""
    return any(run["status"] == "failed" for run in results.get("runs", []))


def failures(results: Results, method: str) -> str:
    """How many of a method's runs failed.

    >>> runs = [{"method": "a", "status": status} for status in ("failed", "finished", "finished")]
    >>> failures({"runs": runs}, "a"), failures({"runs": runs}, "b")
    ('1 of 3', '0 of 0')
    """
    of_method = [run["status"] for run in results["runs"] if run["method"] == method]
    return f"{of_method.count('failed')} of {len(of_method)}"


def baseline_contrast(results: Results, method: str) -> Contrast | None:
    """What is concluded of a method against the baseline; none for that itself, or if not asked."""
    return next(
        (
            each
            for each in results["contrasts"]
            if (each["method"], each["against"]) == (method, results["baseline"])
        ),
        None,
    )


def against_baseline(results: Results, method: str) -> str:
    """A method's difference to the baseline in the primary measure; "baseline" for that itself."""
    contrast = baseline_contrast(results, method)
    if contrast is None or contrast["mean"] is None:
        return "baseline" if method == results["baseline"] else NOTHING
    return difference_and_interval(contrast, results["measures"][0])


def beside_baseline(results: Results) -> list[str]:
    """What is concluded of the pairs without the baseline, a sentence each."""
    labels = {method["name"]: method["label"] for method in results["methods"]}
    return [
        f"{labels[each['method']]} against {labels[each['against']]}: "
        f"{difference_and_interval(each, results['measures'][0])}; {each['conclusion']}."
        for each in results["contrasts"]
        if each["against"] != results["baseline"] and each["mean"] is not None
    ]


def conclusion(results: Results, method: str) -> str:
    """In a word or two what is concluded of a method against the baseline.

    "better", "worse", "undecided", or "same ±0.5" with the margin as the measure is shown.
    """
    contrast = baseline_contrast(results, method)
    if contrast is None:
        return "" if method == results["baseline"] else NOTHING
    if contrast["conclusion"] != "same":
        return contrast["conclusion"]
    percent = results["measures"][0]["percent"]
    return f"same ±{100 * results['margin'] if percent else results['margin']:.3g}"


def p_value(p: float | None) -> str:
    """A p-value, with as many digits as can matter.

    >>> p_value(0.04321), p_value(0.00001), p_value(None)
    ('0.043', '< 0.001', '–')
    """
    if p is None:
        return NOTHING
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def name_of(measure: MeasureFacts) -> str:
    """A measure's label with its unit and direction.

    >>> name_of({"label": "ECE", "percent": True, "better": "lower"})
    'ECE, % ↓'
    """
    arrow = {"higher": " ↑", "lower": " ↓", "neither": ""}[measure["better"]]
    return measure["label"] + (", %" if measure["percent"] else "") + arrow
