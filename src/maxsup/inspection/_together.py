"""What was found of several models, with its doubt and the differences between groups."""

import platform
from collections.abc import Sequence

import torch

from maxsup._version import __version__
from maxsup.evaluation import (
    measure_facts,
)
from maxsup.inspection import schema
from maxsup.inspection._intervals import difference_of, interval_of, summaries_by_measure
from maxsup.inspection._loader import Named
from maxsup.inspection._look import Looked
from maxsup.inspection._settings import InspectionSettings
from maxsup.inspection._without_interval import notes_on_missing_intervals
from maxsup.inspection.analyses import ANALYSES
from maxsup.inspection.measures import MEASURES
from maxsup.results.schema import MeasureFacts
from maxsup.statistics import (
    Summary,
    bounds_of_difference,
    summaries_within,
    summarise,
    within_bounds,
)


def together(
    named: Sequence[Named],
    groups: Sequence[str],
    looked: dict[tuple[str, int], Looked],
    settings: InspectionSettings,
    command: str,
    found: Sequence[str],
) -> schema.Inspection:
    """What was found of every model, group beside group.

    Args:
        named: The models.
        groups: The names of their groups; the first is what the others are compared with.
        looked: What was found, by group and seed.
        settings: What was asked for.
        command: What makes it anew.
        found: What a reader must know of how the models were found, in sentences.
    """
    baseline = groups[0]
    facts = [each for each in _all_facts(settings) if _is_known(each["name"], looked)]
    values: dict[str, dict[int, dict[str, float | None]]] = {group: {} for group in groups}
    for (group, seed), each in looked.items():
        values[group][seed] = each.facts["values"]
    summary: dict[str, dict[str, Summary]] = {}
    intervals: dict[str, dict[str, schema.Interval]] = {}
    differences: dict[str, dict[str, schema.Interval]] = {}
    bounds_of = {each["name"]: each["bounds"] for each in facts}
    for name, of_groups in summaries_by_measure(values, [each["name"] for each in facts]).items():
        bounds = bounds_of[name]
        of_measure = summaries_within(summarise(of_groups, baseline), bounds)
        summary[name] = of_measure
        intervals[name], differences[name] = {}, {}
        for group in groups:
            only, first = _only(looked, group), _only(looked, baseline)
            interval = interval_of(
                of_measure[group],
                None if only is None else only.replicates.get(name),
                0 if only is None else only.facts["test"],
            )
            if interval is not None:
                intervals[name][group] = within_bounds(interval, bounds)
            if group == baseline:
                continue
            if not _see_the_same(looked, group, baseline):
                # Seeds pair what was looked at on the same samples alone.
                of_measure[group]["difference"] = None
            difference = difference_of(
                of_measure[group],
                of_measure[baseline],
                None if only is None else only.replicates.get(name),
                None if first is None else first.replicates.get(name),
                0 if only is None else only.facts["test"],
                same_samples=only is not None
                and first is not None
                and only.samples == first.samples,
            )
            if difference is not None:
                differences[name][group] = within_bounds(difference, bounds_of_difference(bounds))
    without = []
    if settings.resamples:
        only_ones = {group: only for group in groups if (only := _only(looked, group)) is not None}
        without = notes_on_missing_intervals(facts, intervals, only_ones)
    labels = {each.method: each.label for each in named}
    models = [each.facts for each in looked.values()]
    return schema.Inspection(
        format=schema.FORMAT,
        data=", ".join(dict.fromkeys(each["data"] for each in models if each["data"])),
        command=command,
        methods=[schema.GroupFacts(name=group, label=labels[group]) for group in groups],
        baseline=baseline,
        seeds=sorted({seed for _, seed in looked}),
        models=models,
        measures=facts,
        summary=summary,
        intervals=intervals,
        differences=differences,
        notes=[*_notes(looked, groups, models, found), *without],
        versions={
            "maxsup": __version__,
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
    )


def _see_the_same(looked: dict[tuple[str, int], Looked], group: str, baseline: str) -> bool:
    """Whether two groups were looked at on the same test samples, seed by seed."""
    return all(
        each.samples == looked[baseline, seed].samples
        for (name, seed), each in looked.items()
        if name == group and (baseline, seed) in looked
    )


def _only(looked: dict[tuple[str, int], Looked], group: str) -> Looked | None:
    """The only model of a group; none where it has several."""
    of_group = [each for (name, _), each in looked.items() if name == group]
    return of_group[0] if len(of_group) == 1 else None


def _all_facts(settings: InspectionSettings) -> list[MeasureFacts]:
    facts = measure_facts()
    facts += [each.facts(split) for each in MEASURES for split in each.splits]
    for analysis in ANALYSES:
        facts += analysis.facts_under(settings)
    return facts


def _is_known(name: str, looked: dict[tuple[str, int], Looked]) -> bool:
    return any(each.facts["values"].get(name) is not None for each in looked.values())


def _notes(
    looked: dict[tuple[str, int], Looked],
    groups: Sequence[str],
    models: list[schema.ModelFacts],
    found: Sequence[str],
) -> list[str]:
    """What a reader must know of the numbers, the same sentence once."""
    notes = []
    counts = {group: sum(name == group for name, _ in looked) for group in groups}
    if min(counts.values()) > 1:
        notes.append(
            "Intervals are over seeds: they say what other seeds would have given on these test "
            "samples. Differences are paired over the seeds that both have."
        )
    else:
        several = [group for group in groups if counts[group] > 1]
        notes.append(
            "Intervals are over test samples, which were drawn anew: they say what other samples "
            "would have given of these very models. What another seed would have given, they do "
            "not say; a difference between two models need not be one of their methods."
            + (
                f" Of {', '.join(several)} there are several seeds, and its intervals are over "
                "these."
                if several
                else ""
            )
        )
    if not all(_see_the_same(looked, group, groups[0]) for group in groups):
        notes.append(
            "The models were not looked at on the same test samples, so their differences are not "
            "paired."
        )
    for of in (found, *(each["notes"] for each in models)):
        notes += [note for note in of if note not in notes]
    return notes
