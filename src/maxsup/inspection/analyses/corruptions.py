"""Errors and calibration under common corruptions (Hendrycks and Dietterich 2019)."""

import json
import time
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from maxsup.data import MeasuredImages
from maxsup.data.corruptions import COMMON, SEVERITIES, CorruptedSplit, is_small
from maxsup.evaluation import Outputs
from maxsup.inspection._analysis import Analysis, Findings, fact
from maxsup.inspection._kept import Found, KeptFindings
from maxsup.inspection._settings import InspectionSettings
from maxsup.inspection._subject import Subject, sample
from maxsup.measures import expected_calibration_error, fit_temperature
from maxsup.training import duration

_VERSION = 2
_NUMBERS = ("error", "ece", "ece_scaled", "nll", "nll_scaled")


class _Passed(NamedTuple):
    """What came of one corruption at one severity."""

    values: dict[str, float]
    wrong: Tensor
    """(N,) bool."""


def _run(subject: Subject, settings: InspectionSettings) -> Findings | None:
    """A pass for each corruption and severity; the mean is over kinds of the mean over severities.

    Raises:
        ValueError: There are no images, or they cannot be corrupted.
    """
    kinds = settings.corruption_kinds()
    if not kinds:
        return None
    if subject.trained is None or subject.data is None:
        raise ValueError(
            f"corruptions: {subject.place} is stored predictions, and what is given for corrupted "
            "images can be had of a model alone. Name the model, or leave them out."
        )
    labelled = subject.seen("test")
    if labelled is None:
        raise ValueError(
            f"corruptions: the test images of {subject.place} are a stream, of which a sample "
            "cannot be picked out. Name data on this machine."
        )
    split = sample(labelled, settings.corruption_samples, settings.seed)
    clean, temperature, fitted_on = _clean(subject, split.ids)
    found = _passes(subject, split, kinds, temperature, settings)
    counted = [kind for kind in kinds if kind in COMMON] or list(kinds)
    means = {
        number: _mean([found[kind, severity].values[number] for kind in counted
                       for severity in SEVERITIES])
        for number in _NUMBERS
    }  # fmt: skip
    wrong = torch.stack(
        [found[kind, severity].wrong for kind in counted for severity in SEVERITIES]
    )
    of_sample = wrong.double().mean(dim=0)
    test = subject.outputs("test")
    assert test is not None
    contribution = torch.full((len(test),), torch.nan, dtype=torch.float64)
    contribution[torch.searchsorted(test.ids, split.ids)] = of_sample

    def resampled(index: Tensor) -> Mapping[str, float]:
        return {"test_corruption_error": float(contribution[index].nanmean())}

    notes = [
        f"Corruptions: the mean is over {_words(counted)} of the mean over five severities, on "
        f"{len(split):,} test images; T is fitted on the clean {fitted_on}. Frost, elastic, "
        "spatter and the glass blur are drawn in another way than the published ones; the others "
        f"have the strengths of {'CIFAR-10-C' if is_small(split.image_shape) else 'ImageNet-C'}."
    ]
    details = {
        "kinds": list(kinds),
        "counted": counted,
        "samples": len(split),
        "clean": clean,
        "temperature": temperature,
        "found": {
            kind: {
                number: [found[kind, severity].values[number] for severity in SEVERITIES]
                for number in _NUMBERS
            }
            for kind in kinds
        },
    }
    return Findings(
        {f"test_corruption_{number}": value for number, value in means.items()},
        details,
        tuple(notes),
        resampled=resampled,
    )


def _words(counted: list[str]) -> str:
    if counted == list(COMMON):
        return "the 15 common kinds"
    if len(counted) == 1:
        return f"one kind ({counted[0]})"
    return f"{len(counted)} kinds ({', '.join(counted)})"


def _clean(subject: Subject, ids: Tensor) -> tuple[dict[str, float], float, str]:
    """The numbers of the same images as they are, the temperature, and what it was fitted on."""
    test, validation = subject.outputs("test"), subject.outputs("validation")
    assert test is not None
    fitted = test if validation is None else validation
    temperature = float(fit_temperature(fitted.logits, fitted.true_labels))
    of_sample = test.select(torch.isin(test.ids, ids))
    what = "test images, having no others" if validation is None else "validation images"
    return _measured(of_sample, temperature).values, temperature, what


def _passes(
    subject: Subject,
    split: MeasuredImages,
    kinds: tuple[str, ...],
    temperature: float,
    settings: InspectionSettings,
) -> dict[tuple[str, int], _Passed]:
    """What came of each; what was found before a stop is not found again."""
    directory = None if subject.kept is None else subject.kept / "corruptions"
    kept = KeptFindings(directory)
    found: dict[tuple[str, int], _Passed] = {}
    todo = [(kind, severity) for kind in kinds for severity in SEVERITIES]
    begun, made = time.monotonic(), 0
    for number, (kind, severity) in enumerate(todo):
        key = json.dumps(
            [subject.key("test"), subject.key("validation"), _VERSION, kind, severity,
             settings.corruption_samples, settings.seed]
        )  # fmt: skip
        name = f"{kind}-{severity}"
        known = kept.read(name, key)
        if known is None:
            outputs = subject.of(CorruptedSplit(split, kind, severity, settings.seed))
            passed = _measured(outputs, temperature)
            bits = "".join("01"[each] for each in passed.wrong.tolist())
            kept.write(name, key, Found(passed.values, bits))
            made += 1
            if made in (1, 5) or severity == SEVERITIES[-1]:
                left = (time.monotonic() - begun) / made * (len(todo) - number - 1)
                subject.announce(
                    f"{subject.name}: {kind}, {number + 1} of {len(todo)} passes over corrupted "
                    f"images; about {duration(left)} left …"
                )
        else:
            values = {k: float("nan") if v is None else v for k, v in known.values.items()}
            wrong = torch.tensor([each == "1" for each in known.details], dtype=torch.bool)
            passed = _Passed(values, wrong)
        found[kind, severity] = passed
    for message in kept.damaged:
        subject.announce(message)
    return found


def _measured(outputs: Outputs, temperature: float) -> _Passed:
    logits, labels = outputs.logits.double(), outputs.true_labels
    wrong = logits.argmax(dim=1) != labels
    scaled = logits / temperature
    values = {
        "error": float(wrong.double().mean()),
        "ece": float(expected_calibration_error(logits, labels)),
        "ece_scaled": float(expected_calibration_error(scaled, labels)),
        "nll": float(cross_entropy(logits, labels)),
        "nll_scaled": float(cross_entropy(scaled, labels)),
    }
    return _Passed(values, wrong.cpu())


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


_OVER = "mean over kinds of corruption of the mean over five severities, test images"
CORRUPTIONS = Analysis(
    name="corruptions",
    facts=(
        fact("test_corruption_error", "Corruption error", f"error under corruption: {_OVER}",
             better="lower", percent=True, digits=1, headline=True),
        fact("test_corruption_ece", "ECE, corrupted", f"calibration error (15 bins): {_OVER}",
             better="lower", percent=True, digits=1),
        fact("test_corruption_ece_scaled", "ECE, corrupted, after T",
             f"the same with logits divided by the temperature of clean images: {_OVER}",
             better="lower", percent=True, digits=1),
        fact("test_corruption_nll", "NLL, corrupted", f"negative log-likelihood: {_OVER}",
             better="lower", bounds=(0.0, None)),
        fact("test_corruption_nll_scaled", "NLL, corrupted, after T",
             f"the same with logits divided by the temperature of clean images: {_OVER}",
             better="lower", bounds=(0.0, None)),
    ),
    run=_run,
    depends_on=lambda settings: [settings.corruption_kinds(), settings.corruption_samples],
    version=_VERSION,
)  # fmt: skip
