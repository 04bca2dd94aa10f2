"""All that is found of one model: by the measures in one pass, and by each analysis."""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import islice
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from maxsup._version import __version__
from maxsup.evaluation import (
    Outputs,
    SplitName,
    measure_outputs,
    measures_on,
)
from maxsup.evaluation.measures.temperature import USED
from maxsup.inspection import schema
from maxsup.inspection._analysis import Analysis, Findings
from maxsup.inspection._kept import Found, KeptFindings
from maxsup.inspection._resampling import draws, replicates_of_means, replicates_of_values
from maxsup.inspection._settings import InspectionSettings
from maxsup.inspection._subject import Subject
from maxsup.inspection.analyses import ANALYSES
from maxsup.inspection.measures import MEASURES
from maxsup.measures import fit_temperature
from maxsup.training import listed

_PARTS: tuple[Literal["train", "test"], ...] = ("train", "test")
_MEASURES = "measures"
"""The name under which the measures' values are kept."""


class Looked(NamedTuple):
    """What was found of one model."""

    facts: schema.ModelFacts
    replicates: dict[str, list[float | None]]
    """By measure, its value for each draw of the test samples."""

    @property
    def samples(self) -> str:
        """Which test samples it saw, in one hash."""
        return self.facts["samples"]


def look_at(
    subject: Subject,
    settings: InspectionSettings,
    resamples: int,
    announce: Callable[[str], None],
) -> Looked:
    """All that is asked for of one model.

    Args:
        subject: The model.
        settings: What is asked for.
        resamples: How often its test samples are drawn anew.
        announce: Is told what is going on, in sentences.

    Raises:
        ValueError: It gives numbers that nothing can be said of, or cannot be looked at as asked.
    """
    findings = KeptFindings(subject.kept)
    test = subject.outputs("test")
    assert test is not None
    of_measures = _found_by_measures(subject, findings, settings, resamples, announce)
    values = dict(of_measures.values)
    replicates = dict(of_measures.replicates)
    details = {}
    notes = [*subject.notes, *_left_out(subject), *of_measures.notes]
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
        data="" if subject.data is None else (settings.data or subject.data.name),
        classes=list(subject.classes),
        train=0 if train is None else len(train),
        test=len(test),
        samples=_samples(subject, test),
        values=values,
        details=details,
        notes=notes,
    )
    return Looked(facts, replicates)


def _left_out(subject: Subject) -> list[str]:
    """Which images are no part of any number, in a sentence for each part of the data."""
    return [
        f"{len(places):,} {part} image{'s' if len(places) > 1 else ''} of "
        f"{subject.data.name} cannot be read and {'are' if len(places) > 1 else 'is'} left out: "
        f"{listed(places)}."
        for part in ("train", "validation", "test")
        if subject.data is not None and (places := subject.left_out(part))
    ]


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
            __version__,
        )
    )
    found = kept.read(_MEASURES, key)
    validation = subject.outputs("validation") if found is None or resamples else None
    temperature = None
    if validation is not None:
        temperature = float(fit_temperature(validation.logits, validation.true_labels))
    if found is None:
        values: dict[str, float | None] = {}
        for part in _PARTS:
            outputs = subject.outputs(part)
            if outputs is not None:
                of_part = _measured(outputs, part, temperature)
                values |= {k: v if math.isfinite(v) else None for k, v in of_part.items()}
        found = Found(values, is_measured_anew=True)
        kept.write(_MEASURES, key, found)
    if not resamples:
        return found
    test = subject.outputs("test")
    assert test is not None
    if temperature is None:
        # Fitted anew for each draw, it would be most of the work.
        temperature = float(fit_temperature(test.logits, test.true_labels))
    held = temperature
    replicates = _measured_anew(
        _MEASURES, f"{subject.name}: ", kept, key, len(test), resamples, settings.seed, announce,
        lambda index: _measured(test.select(index), "test", held),
    )  # fmt: skip
    # One that is held has no spread that could be told.
    replicates.pop(USED.name_on("test"), None)
    return replace(found, replicates=replicates)


def _measured_anew(
    name: str,
    of: str,
    kept: KeptFindings,
    key: str,
    samples: int,
    resamples: int,
    seed: int,
    announce: Callable[[str], None],
    measure: Callable[[Tensor], Mapping[str, float]],
) -> dict[str, list[float | None]]:
    """Values for each draw of the test samples; those of draws that were made before are kept.

    The first draws are the same however many there are.
    """
    key = f"{key} {samples} {seed}"
    before = kept.read(f"{name}-drawn", key) or Found(details=0)
    replicates = dict(before.replicates)
    if before.details < resamples:
        announce(f"{of}{name} of test samples drawn anew {resamples - before.details} times …")
        more = islice(draws(samples, resamples, seed), before.details, None)
        for each, values in replicates_of_values(more, measure).items():
            replicates[each] = [*replicates.get(each, []), *values]
        kept.write(f"{name}-drawn", key, Found(details=resamples, replicates=replicates))
    return {each: values[:resamples] for each, values in replicates.items()}


def _measured(outputs: Outputs, split: SplitName, temperature: float | None) -> dict[str, float]:
    """All that is measured of outputs of a part."""
    measures = [*measures_on(split), *(each for each in MEASURES if split in each.splits)]
    # Every process has all of them.
    return measure_outputs([outputs], split, measures, temperature=temperature, alone=True).values


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
        ]
    )
    found = kept.read(analysis.name, key)
    findings = None
    if found is None:
        findings = analysis.run(subject, settings) or Findings()
        known = {each["name"] for each in analysis.facts_under(settings)}
        assert set(findings.values) <= known, (set(findings.values) - known, analysis.name)
        found = Found(
            {k: v if math.isfinite(v) else None for k, v in findings.values.items()},
            findings.details,
            findings.notes,
            {k: v.double().tolist() for k, v in findings.contributions.items()},
            findings.resampled is not None,
        )
        kept.write(analysis.name, key, found)
    if not resamples:
        return found
    contributions = {
        k: torch.tensor(v, dtype=torch.float64) for k, v in found.contributions.items()
    }
    replicates = replicates_of_means(contributions, resamples, settings.seed)
    if found.is_measured_anew:
        test = subject.outputs("test")
        assert test is not None

        def measure(index: Tensor) -> Mapping[str, float]:
            nonlocal findings
            if findings is None:  # it was found by an earlier call, with fewer draws
                findings = analysis.run(subject, settings)
            assert findings is not None
            assert findings.resampled is not None
            return findings.resampled(index)

        replicates |= _measured_anew(
            analysis.name, f"{subject.name}: ", kept, key, len(test), resamples, settings.seed,
            announce, measure,
        )  # fmt: skip
    return replace(found, replicates=replicates)
