"""What can be read out of frozen features: of the classes trained on, of finer ones, of other data.

After Table 3 of the MaxSup paper and Table 12 of its later version: logistic regression with the l2
that a validation part chooses, beside what a narrow range of l2 leads to; and the nearest
neighbours.
"""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

from torch import Tensor

from maxsup.evaluation import Outputs
from maxsup.inspection._analysis import Analysis, Findings, fact
from maxsup.inspection._other_data import (
    fingerprints,
    keyed,
    label_of,
    load_other_data,
    notes_on,
    transfer_parts,
)
from maxsup.inspection._settings import InspectionSettings
from maxsup.inspection._subject import Subject
from maxsup.measures import (
    NARROW_RANGE,
    NEIGHBOURS,
    Chosen,
    linear_transfer,
    nearest_neighbours,
)
from maxsup.results.schema import MeasureFacts
from maxsup.training import slow_steps


class _Samples(NamedTuple):
    """What a probe learns from, and what it is measured on."""

    train: Tensor
    train_labels: Tensor
    test: Tensor
    test_labels: Tensor


def _of_own(subject: Subject, settings: InspectionSettings) -> Findings | None:
    """For the classes that the model was trained on."""
    train, test = subject.outputs("train"), subject.outputs("test")
    if not _have_features(train, test):
        return None
    assert train is not None
    assert test is not None
    try:
        return _findings(subject, "test_own", "its own classes", _samples(train, test), settings)
    except ValueError as error:
        return Findings(notes=(f"{subject.name}: no probe of its own classes: {error}",))


def _of_finer(subject: Subject, settings: InspectionSettings) -> Findings | None:
    """For other labels of the same images.

    Raises:
        ValueError: They are asked for of something that has none.
    """
    labels = None if subject.data is None else subject.data.probe_labels
    if labels is None:
        if settings.probe_label is None:
            return None
        raise ValueError(
            f"probe_label: nothing is known of {subject.place} but its labels, so there is no "
            f"column {settings.probe_label!r}. Name the model itself and its data."
        )
    train, test = subject.outputs("train"), subject.outputs("test")
    assert train is not None
    assert test is not None
    found = _samples(train, test)._replace(
        train_labels=labels.of("train", train.ids), test_labels=labels.of("test", test.ids)
    )
    return _findings(subject, "test_finer", f"the labels {labels.column}", found, settings)


def _digest_of_labels(subject: Subject, settings: InspectionSettings) -> str | None:
    """What tells the other labels from what they were when something was found of them."""
    labels = None if subject.data is None else subject.data.probe_labels
    if labels is None:
        return None
    digest = hashlib.sha256(repr((labels.column, labels.classes)).encode())
    for values in (labels.train, labels.test):
        if values is not None:
            digest.update(values.numpy().tobytes())
    return digest.hexdigest()


def _of_transfer(subject: Subject, settings: InspectionSettings) -> Findings | None:
    """For the classes of each of the other data sets that are named.

    Raises:
        ValueError: There is no model, or one of the data sets cannot be used.
    """
    if not settings.transfer_data:
        return None
    if subject.trained is None:
        raise ValueError(
            f"transfer_data: {subject.place} is stored predictions, and features of other images "
            "can be had of a model alone. Name the model."
        )
    together = Findings(details=[])
    for word, key in keyed(settings.transfer_data, "transfer_data"):
        train, test = transfer_parts(subject, word)
        found = _findings(
            subject,
            f"test_transfer_{key}",
            f"the classes of {label_of(word)}",
            _samples(subject.of(train), subject.of(test)),
            settings,
        )
        data = load_other_data(subject, word, "transfer_data")
        together = Findings(
            {**together.values, **found.values},
            [*together.details, *found.details],
            (*together.notes, *notes_on(word, data), *found.notes),
            {**together.contributions, **found.contributions},
        )
    return together


def _have_features(*found: Outputs | None) -> bool:
    return all(each is not None and each.features is not None for each in found)


def _samples(train: Outputs, test: Outputs) -> _Samples:
    assert train.features is not None
    assert test.features is not None
    return _Samples(train.features, train.true_labels, test.features, test.true_labels)


def _findings(
    subject: Subject, prefix: str, what: str, samples: _Samples, settings: InspectionSettings
) -> Findings:
    """The probe's numbers, its curve, and what a reader must know of them."""
    device = subject.execution.device
    if device.type != "mps":  # which lacks float64
        samples = _Samples(*(each.to(device) for each in samples))
    progress = slow_steps(subject.announce, f"{subject.name}: probe of {what}, l2 values tried")
    linear = linear_transfer(*samples, seed=settings.seed, progress=progress)
    neighbours = nearest_neighbours(*samples)
    values = {
        f"{prefix}_probe": linear.chosen.test_accuracy,
        f"{prefix}_probe_narrow": linear.narrow.test_accuracy,
    }
    contributions = {
        f"{prefix}_probe": linear.chosen.correct,
        f"{prefix}_probe_narrow": linear.narrow.correct,
    }
    for k, found in zip(NEIGHBOURS, neighbours, strict=True):
        values[f"{prefix}_neighbours_{k}"] = found.accuracy
        contributions[f"{prefix}_neighbours_{k}"] = (found.predictions == samples.test_labels).cpu()
    notes = []
    if linear.chosen.edge is not None:
        notes.append(
            f"{subject.name}: for {what}, the probe's best l2, {linear.chosen.l2:g}, is the "
            f"{linear.chosen.edge} of the 45 that were tried; a better one may lie beyond."
        )
    if len(samples.train) < max(NEIGHBOURS):
        notes.append(
            f"For {what} there are {len(samples.train)} training samples; where more nearest ones "
            "are asked, all of them are."
        )
    details = {
        "key": prefix,
        "what": what,
        "l2": linear.l2.tolist(),
        "validation": linear.validation_accuracy.tolist(),
        "chosen": _chosen(linear.chosen),
        "narrow": _chosen(linear.narrow),
        "classes": len(samples.train_labels.unique()),
        "train": len(samples.train),
        "test": len(samples.test),
    }
    return Findings(values, [details], tuple(notes), contributions)


def _chosen(found: Chosen) -> dict[str, object]:
    return {
        "l2": found.l2,
        "edge": found.edge,
        "validation": found.validation_accuracy,
        "test": found.test_accuracy,
    }


def _facts(prefix: str, what: str, short: str) -> Iterator[MeasureFacts]:
    low, high = NARROW_RANGE
    rows = [
        (
            "probe",
            f"Linear probe{short}",
            "accuracy of multinomial logistic regression on the frozen features",
            "of 45 l2 from 1e-6 to 1e5 (mean cross-entropy + l2/2·‖W‖²) the one with the highest "
            "accuracy on a tenth of the training samples, held out; test samples choose nothing",
        ),
        (
            "probe_narrow",
            f"Probe, l2 {low:g} … {high:g}{short}",
            "the same with the best l2 of a narrow range",
            "where it is far below the one beside it, the range ends too early",
        ),
        *(
            (
                f"neighbours_{k}",
                f"{k} neighbours{short}",
                f"accuracy of the votes of the {k} training samples with the nearest features",
                "cosine similarity s, weights exp(s/0.07)",
            )
            for k in NEIGHBOURS
        ),
    ]
    for name, label, help, how in rows:
        yield fact(
            f"{prefix}_{name}",
            label,
            f"{help}, for {what}, on its test samples; {how}",
            better="higher",
            percent=True,
            digits=1,
            headline=name == "probe",
        )


def _transfer_facts(settings: InspectionSettings) -> tuple[MeasureFacts, ...]:
    return tuple(
        each
        for word, key in keyed(settings.transfer_data, "transfer_data")
        for each in _facts(
            f"test_transfer_{key}", f"the classes of {label_of(word)}", f" ({label_of(word)})"
        )
    )


PROBE = Analysis(
    name="probe",
    facts=tuple(_facts("test_own", "the classes trained on", "")),
    run=_of_own,
)
FINER = Analysis(
    name="finer",
    facts=tuple(_facts("test_finer", "the labels of --probe-label", " (other labels)")),
    run=_of_finer,
    depends_on=lambda settings: settings.probe_label,
    contents=_digest_of_labels,
)
TRANSFER = Analysis(
    name="transfer",
    facts=_transfer_facts,
    run=_of_transfer,
    depends_on=lambda settings: list(settings.transfer_data),
    contents=lambda subject, settings: fingerprints(
        subject, settings.transfer_data, "transfer_data"
    ),
    version=2,
)
