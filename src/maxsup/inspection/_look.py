"""All that is found of one model: by the measures in one pass, and by each analysis."""

import hashlib
import json
import math
from collections.abc import Callable
from typing import Literal, NamedTuple

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
    samples: str
    """Which test samples it saw, in one hash."""


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
        ValueError: It gives numbers that are not finite, or cannot be looked at as asked.
    """
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
        data=settings.data or ("" if subject.data is None else subject.data.name),
        classes=list(subject.classes),
        train=0 if train is None else len(train),
        test=len(test),
        values=values,
        details=details,
        notes=notes,
    )
    return Looked(facts, replicates, _samples(subject, test))


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
