"""Trained models side by side: what was asked for is looked at in each, and put together."""

import hashlib
import json
import math
import platform
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import torch

from maxsup._places import as_place
from maxsup._version import __version__
from maxsup.evaluation import (
    Outputs,
    SplitName,
    measure_facts,
    measure_outputs,
    measures_on,
)
from maxsup.evaluation.measures.temperature import USED
from maxsup.inspection import schema
from maxsup.inspection._analysis import Analysis, Findings
from maxsup.inspection._find import Loader, Named, find_models
from maxsup.inspection._intervals import difference_of, interval_of, summaries_by_measure
from maxsup.inspection._kept import Found, KeptFindings
from maxsup.inspection._resampling import draws, replicates_of_means, replicates_of_values
from maxsup.inspection._settings import InspectionSettings
from maxsup.inspection._subject import Subject
from maxsup.inspection.analyses import ANALYSES
from maxsup.inspection.analyses.projection import choose_classes
from maxsup.inspection.measures import MEASURES
from maxsup.measures import fit_temperature
from maxsup.results.schema import MeasureFacts
from maxsup.statistics import Summary, summarise

_PARTS: tuple[Literal["train", "test"], ...] = ("train", "test")
_MEASURES = "measures"
"""The name under which the measures' values are kept."""


class _Looked(NamedTuple):
    """What was found of one model."""

    facts: schema.ModelFacts
    replicates: dict[str, list[float | None]]
    samples: str
    """Which test samples it saw, in one hash."""


@torch.inference_mode()
def inspect(
    models: Sequence[str],
    settings: InspectionSettings | None = None,
    directory: Path | str | None = None,
    *,
    command: str | None = None,
    announce: Callable[[str], None] = lambda text: None,
    device: torch.device | str | None = None,
) -> schema.Inspection:
    """Look inside trained models, side by side.

    Each model is run over its data once; what it gave and what each analysis found is kept in
    ``directory``, so that the same call goes on where it was stopped, and another question costs
    what is new in it alone.

    Args:
        models: Each names a run, the runs of a method or of a study, a file of weights, a model of
            timm or of the Hub, or stored predictions; ``NAME=`` before it gives it another name.
            Models that differ in their seed alone form a group. The first group is the one that
            the others are compared with.
        settings: What is looked at.
        directory: Where outputs and findings are kept, and ``inspection.json`` is written by
            :func:`write_inspection`; none to keep nothing.
        command: What makes it anew, noted in it; by default this call.
        announce: Is told what is going on, in sentences.
        device: Where the models run; by default the accelerator that there is, else the CPU.

    Returns:
        What was found, as ``inspection.json`` holds it.

    Raises:
        ValueError: A model is not known, does not fit the data, or cannot be looked at as asked.
        OSError: A file cannot be read or written.
    """
    settings = settings or InspectionSettings()
    _check_skipped(settings)
    named = find_models(models, settings)
    kept = None if directory is None else as_place(directory) / "models"
    loader = Loader(settings, device=_device(device), kept=kept, announce=announce)
    groups = list(dict.fromkeys(each.method for each in named))
    seeds = {group: [each.seed for each in named if each.method == group] for group in groups}
    settings = choose_classes(settings, _of_first_group(named, groups[0], loader))
    # Where every group has several seeds, these give the intervals.
    resamples = settings.resamples if min(map(len, seeds.values())) == 1 else 0
    looked: dict[tuple[str, int], _Looked] = {}
    for each in named:
        subject = each.load(loader, each)
        announce(f"Looking at {subject.name} ({each.place}) …")
        looked[each.method, each.seed] = _look_at(subject, settings, resamples, kept, announce)
        subject.forget()
    return _together(named, groups, looked, settings, command or _call(models, directory))


def _device(device: torch.device | str | None) -> torch.device:
    if device is not None:
        return torch.device(device)
    found = torch.accelerator.current_accelerator(check_available=True)
    return torch.device("cpu") if found is None else found


def _check_skipped(settings: InspectionSettings) -> None:
    names = [each.name for each in ANALYSES]
    unknown = [name for name in settings.skip if name not in names]
    if unknown:
        raise ValueError(
            f"skip: no analysis is called {unknown[0]!r}; there are {', '.join(names)}."
        )


def _of_first_group(named: Sequence[Named], group: str, loader: Loader) -> list[Subject]:
    return [each.load(loader, each) for each in named if each.method == group]


def _call(models: Sequence[str], directory: Path | str | None) -> str:
    where = "" if directory is None else f", directory={str(directory)!r}"
    return f"inspect({list(models)!r}{where})"


def _look_at(
    subject: Subject,
    settings: InspectionSettings,
    resamples: int,
    kept: Path | None,
    announce: Callable[[str], None],
) -> _Looked:
    """All that is asked for of one model."""
    findings = KeptFindings(subject.kept)
    test = subject.outputs("test")
    assert test is not None
    if not test.logits.isfinite().all():
        raise ValueError(
            f"{subject.place} gives logits that are no finite numbers for "
            f"{int((~test.logits.isfinite()).any(dim=1).sum()):,} of {len(test):,} samples, so "
            "nothing can be said of it."
        )
    if test.features is not None and not test.features.isfinite().all():
        raise ValueError(
            f"{subject.place} gives features that are no finite numbers for "
            f"{int((~test.features.isfinite()).any(dim=1).sum()):,} of {len(test):,} samples. A "
            "training that diverged leaves such; look at another run."
        )
    of_measures = _found_by_measures(subject, findings, settings, resamples, announce)
    values = dict(of_measures.values)
    replicates = dict(of_measures.replicates)
    details = {}
    notes = [*subject.notes, *of_measures.notes]
    for analysis in ANALYSES:
        if analysis.name in settings.skip:
            continue
        found = _found_by(analysis, subject, findings, settings, resamples, announce)
        values |= found.values
        replicates |= found.replicates
        if found.details is not None:
            details[analysis.name] = found.details
        notes += found.notes
    for message in findings.damaged:
        announce(message)
    train = subject.images("train")
    facts = schema.ModelFacts(
        method=subject.method,
        seed=subject.seed,
        place=subject.place,
        architecture=""
        if subject.trained is None
        else subject.trained.description.architecture.name,
        data=settings.data or ("" if subject.data is None else subject.data.name),
        classes=list(subject.classes),
        train=0 if train is None else len(train),
        test=len(test),
        values=values,
        details=details,
        notes=notes,
    )
    return _Looked(facts, replicates, _samples(subject, test))


def _samples(subject: Subject, outputs: Outputs) -> str:
    """What tells these test samples from others: what they are of, and which."""
    digest = hashlib.sha256(repr((outputs.ids.tolist(), outputs.true_labels.tolist())).encode())
    if subject.data is not None:
        digest.update(repr(subject.data.classes).encode())
        subject.data.test.add_to(digest)
    return digest.hexdigest()


def _found_by_measures(
    subject: Subject,
    kept: KeptFindings,
    settings: InspectionSettings,
    resamples: int,
    announce: Callable[[str], None],
) -> Found:
    key = " ".join(
        (
            *(subject.key(part) for part in ("train", "validation", "test")),
            repr([each.name for each in (*MEASURES, *measures_on("test"), *measures_on("train"))]),
            f"{resamples} {settings.seed} {__version__}",
        )
    )
    found = kept.read(_MEASURES, key)
    if found is not None:
        return found
    temperature = None
    validation = subject.outputs("validation")
    if validation is not None:
        temperature = float(fit_temperature(validation.logits, validation.true_labels))
    values: dict[str, float | None] = {}
    for part in _PARTS:
        outputs = subject.outputs(part)
        if outputs is not None:
            of_part = _measured(outputs, part, temperature)
            values |= {k: v if math.isfinite(v) else None for k, v in of_part.items()}
    replicates: dict[str, list[float | None]] = {}
    if resamples:
        announce(f"{subject.name}: drawing the test samples anew {resamples} times …")
        test = subject.outputs("test")
        assert test is not None
        if temperature is None:
            # Fitted anew for each draw, it would be most of the work.
            temperature = float(fit_temperature(test.logits, test.true_labels))
        held = temperature
        replicates = replicates_of_values(
            draws(len(test), resamples, settings.seed),
            lambda index: _measured(test.select(index), "test", held),
        )
        # One that is held has no spread that could be told.
        replicates.pop(USED.name_on("test"), None)
    found = Found(values, replicates=replicates)
    kept.write(_MEASURES, key, found)
    return found


def _measured(outputs: Outputs, split: SplitName, temperature: float | None) -> dict[str, float]:
    """All that is measured of outputs of a part."""
    measures = [*measures_on(split), *(each for each in MEASURES if split in each.splits)]
    return measure_outputs([outputs], split, measures, temperature=temperature).values


def _found_by(
    analysis: Analysis,
    subject: Subject,
    kept: KeptFindings,
    settings: InspectionSettings,
    resamples: int,
    announce: Callable[[str], None],
) -> Found:
    key = json.dumps(
        [
            *(subject.key(part) for part in ("train", "validation", "test")),
            analysis.version,
            analysis.depends_on(settings),
            analysis.contents(subject, settings),
            settings.seed,
            resamples,
        ]
    )
    found = kept.read(analysis.name, key)
    if found is not None:
        return found
    findings = analysis.run(subject, settings) or Findings()
    known = {each["name"] for each in analysis.facts_under(settings)}
    assert set(findings.values) <= known, (set(findings.values) - known, analysis.name)
    replicates = replicates_of_means(findings.contributions, resamples, settings.seed)
    if findings.resampled is not None and resamples:
        announce(f"{subject.name}: {analysis.name} of test samples drawn anew {resamples} times …")
        test = subject.outputs("test")
        assert test is not None
        drawn = draws(len(test), resamples, settings.seed)
        replicates |= replicates_of_values(drawn, findings.resampled)
    found = Found(
        {k: v if math.isfinite(v) else None for k, v in findings.values.items()},
        findings.details,
        findings.notes,
        replicates,
    )
    kept.write(analysis.name, key, found)
    return found


def _together(
    named: Sequence[Named],
    groups: Sequence[str],
    looked: dict[tuple[str, int], _Looked],
    settings: InspectionSettings,
    command: str,
) -> schema.Inspection:
    baseline = groups[0]
    facts = [each for each in _all_facts(settings) if _is_known(each["name"], looked)]
    values: dict[str, dict[int, dict[str, float | None]]] = {group: {} for group in groups}
    for (group, seed), each in looked.items():
        values[group][seed] = each.facts["values"]
    summary: dict[str, dict[str, Summary]] = {}
    intervals: dict[str, dict[str, schema.Interval]] = {}
    differences: dict[str, dict[str, schema.Interval]] = {}
    for name, of_groups in summaries_by_measure(values, [each["name"] for each in facts]).items():
        of_measure = summarise(of_groups, baseline)
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
                intervals[name][group] = interval
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
                differences[name][group] = difference
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
        notes=_notes(looked, groups, models),
        versions={
            "maxsup": __version__,
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
    )


def _see_the_same(looked: dict[tuple[str, int], _Looked], group: str, baseline: str) -> bool:
    """Whether two groups were looked at on the same test samples, seed by seed."""
    return all(
        each.samples == looked[baseline, seed].samples
        for (name, seed), each in looked.items()
        if name == group and (baseline, seed) in looked
    )


def _only(looked: dict[tuple[str, int], _Looked], group: str) -> _Looked | None:
    """The only model of a group; none where it has several."""
    of_group = [each for (name, _), each in looked.items() if name == group]
    return of_group[0] if len(of_group) == 1 else None


def _all_facts(settings: InspectionSettings) -> list[MeasureFacts]:
    facts = measure_facts()
    facts += [each.facts(split) for each in MEASURES for split in each.splits]
    for analysis in ANALYSES:
        facts += analysis.facts_under(settings)
    return facts


def _is_known(name: str, looked: dict[tuple[str, int], _Looked]) -> bool:
    return any(each.facts["values"].get(name) is not None for each in looked.values())


def _notes(
    looked: dict[tuple[str, int], _Looked], groups: Sequence[str], models: list[schema.ModelFacts]
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
    if len({each.samples for each in looked.values()}) > 1:
        notes.append(
            "The models were not looked at on the same test samples, so their differences are not "
            "paired."
        )
    for each in models:
        notes += [note for note in each["notes"] if note not in notes]
    return notes
