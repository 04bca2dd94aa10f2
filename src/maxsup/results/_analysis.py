"""From the values of a study's runs to its summary and to what is concluded of its contrasts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from maxsup._method_names import canonical
from maxsup.results.schema import MeasureFacts, Run
from maxsup.statistics import (
    Contrast,
    Summary,
    bounds_of_difference,
    default_contrasts,
    judge,
    summaries_within,
    summarise,
    with_unpaired,
    within_bounds,
)

DEFAULT_PRIMARY = "test_accuracy"
DEFAULT_POINTS = 0.5
"""δ of a measure that is shown in per cent, in points."""
DEFAULT_MARGIN = 0.01
"""δ of any other measure, in its own unit."""


@dataclass(frozen=True)
class Analysis:
    """The question that is put to a study's numbers; it changes nothing that is trained.

    Example:
        >>> Analysis("baseline", margin=0.2).primary
        'test_accuracy'
    """

    baseline: str
    """The name of the method that the others are measured against."""
    primary: str = DEFAULT_PRIMARY
    """The measure that the verdict speaks of, as results name it."""
    margin: float | None = None
    """δ, the largest difference that does not matter: in points where the primary measure is shown
    in per cent, else in its own unit. By default 0.5 points, or 0.01."""
    contrasts: tuple[tuple[str, str], ...] = ()
    """Pairs of methods that are concluded on, the second being what the first is compared with; by
    default each against the baseline, and MaxSup against label smoothing where both are there, as
    :func:`maxsup.statistics.default_contrasts` has it."""
    unpaired: bool = False
    """Whether runs of one seed have nothing in common, so that no difference may be paired over
    seeds; it is weaker. Methods without a seed in common are compared so in any case."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "baseline", canonical(self.baseline))


class Analysed(NamedTuple):
    """What an analysis found."""

    measures: list[MeasureFacts]
    """The primary first, the others in their order."""
    summary: dict[str, dict[str, Summary]]
    """By measure, then by method."""
    margin: float
    """δ in the unit of the values, in which a per cent is 0.01."""
    contrasts: list[Contrast]
    """What is concluded, in the order asked for."""


def analyse(
    runs: Sequence[Run],
    measures: Sequence[MeasureFacts],
    methods: Sequence[str],
    analysis: Analysis,
) -> Analysed:
    """Summarise all measures, and conclude on the contrasts in the primary one.

    Args:
        runs: The runs of a study, failed ones among them.
        measures: What was measured of them.
        methods: The names of the methods, in order.
        analysis: What is asked.

    Raises:
        ValueError: The primary measure does not exist or has no better direction, the margin is not
            more than 0, or a contrast or the baseline names another method.
    """
    primary = find_primary(measures, analysis.primary)
    values: dict[str, dict[str, dict[int, float | None]]] = {
        measure["name"]: {method: {} for method in methods} for measure in measures
    }
    for run in runs:
        for name, value in run["values"].items():
            if name in values and run["method"] in values[name]:
                values[name][run["method"]][run["seed"]] = value
    margin = margin_of(primary, analysis.margin)
    contrasts = check_contrasts(analysis.contrasts, methods) or default_contrasts(
        methods, analysis.baseline
    )
    return Analysed(
        [primary, *(measure for measure in measures if measure is not primary)],
        {
            measure["name"]: summaries_within(
                with_unpaired(
                    summarise(of_method, analysis.baseline),
                    of_method,
                    analysis.baseline,
                    all_of_them=analysis.unpaired,
                ),
                measure["bounds"],
            )
            for measure, of_method in ((each, values[each["name"]]) for each in measures)
        },
        margin,
        [
            within_bounds(each, bounds_of_difference(primary["bounds"]))
            for each in judge(
                values[primary["name"]],
                contrasts,
                margin=margin,
                better="lower" if primary["better"] == "lower" else "higher",
                unpaired=analysis.unpaired,
            )
        ],
    )


def find_primary(measures: Sequence[MeasureFacts], name: str) -> MeasureFacts:
    """The measure of that name, which must be one of the test set that has a better direction.

    A name without its split, ``nll``, means that of the test set.

    Raises:
        ValueError: There is no such measure; the message lists those that can be primary.
    """
    possible = {
        measure["name"]: measure
        for measure in measures
        if measure["better"] != "neither" and measure["split"] == "test"
    }
    for full in (name, f"test_{name}"):
        if full in possible:
            return possible[full]
    raise ValueError(
        f"primary: {name!r} cannot be what methods are judged by; there are "
        f"{', '.join(each.removeprefix('test_') for each in possible)}."
    )


def margin_of(primary: MeasureFacts, margin: float | None) -> float:
    """δ in the unit of the primary measure's values, from how it is written, or by default.

    Raises:
        ValueError: The margin is not a finite number larger than 0.

    Example:
        >>> margin_of({"percent": True}, None), margin_of({"percent": False}, 0.2)
        (0.005, 0.2)
    """
    if margin is None:
        margin = DEFAULT_POINTS if primary["percent"] else DEFAULT_MARGIN
    if not (margin > 0 and math.isfinite(margin)):
        raise ValueError(f"margin must be a finite number larger than 0; got {margin!r}.")
    return margin / 100 if primary["percent"] else margin


def read_contrasts(words: Sequence[str], methods: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Contrasts as they are written on a command line: ``maxsup/label-smoothing``, or ``all``.

    Raises:
        ValueError: A word is no pair of the methods.

    Example:
        >>> read_contrasts(["maxsup/focal"], ["baseline", "focal", "maxsup"])
        (('maxsup', 'focal'),)
        >>> len(read_contrasts(["all"], ["baseline", "focal", "maxsup"]))
        3
    """
    if list(words) == ["all"]:
        return tuple(
            (later, earlier) for row, later in enumerate(methods) for earlier in methods[:row]
        )
    pairs = []
    for word in words:
        method, slash, against = word.partition("/")
        if not slash:
            raise ValueError(
                f"contrasts: {word!r} is no pair; write METHOD/METHOD, such as "
                f"{methods[-1]}/{methods[0]}, or all."
            )
        pairs.append((method, against))
    return check_contrasts(tuple(pairs), methods)


def check_contrasts(
    contrasts: tuple[tuple[str, str], ...], methods: Sequence[str]
) -> tuple[tuple[str, str], ...]:
    """The contrasts, spelt as the methods are; each names two of them, and none comes twice.

    Raises:
        ValueError: One does not.
    """
    contrasts = tuple((canonical(method), canonical(against)) for method, against in contrasts)
    methods = [canonical(name) for name in methods]
    seen = set()
    for method, against in contrasts:
        for name in (method, against):
            if name not in methods:
                raise ValueError(
                    f"contrasts: {method}/{against} names {name!r}, which is none of the methods; "
                    f"there are {', '.join(methods)}."
                )
        if method == against:
            raise ValueError(f"contrasts: {method}/{against} compares a method with itself.")
        if frozenset((method, against)) in seen:
            raise ValueError(f"contrasts: {method}/{against} is there already.")
        seen.add(frozenset((method, against)))
    return contrasts
