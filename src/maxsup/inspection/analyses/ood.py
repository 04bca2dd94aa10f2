"""How well samples of classes that a model does not know are told from those of its own."""

import zlib
from collections.abc import Mapping

import torch
from torch import Tensor

from maxsup._seeds import derive_seed
from maxsup.data import ImageData
from maxsup.inspection._analysis import Analysis, Findings, fact
from maxsup.inspection._other_data import (
    fingerprints,
    keyed,
    label_of,
    load_other_data,
    notes_on,
    with_channels,
)
from maxsup.inspection._settings import InspectionSettings
from maxsup.inspection._subject import Subject, sample
from maxsup.measures import OutOfDistribution, detection
from maxsup.results.schema import MeasureFacts
from maxsup.training import listed

SCORES = {
    "msp": "MSP",
    "max_logit": "Max logit",
    "energy": "Energy",
    "knn": "kNN",
    "mahalanobis": "Mahalanobis",
    "vim": "ViM",
}
"""What each score is called."""
_SAMPLES = 50_000
"""The most images that are taken of other data."""
_BINS = 40


def _run(subject: Subject, settings: InspectionSettings) -> Findings | None:
    """AUROC and FPR95 of each score for each of the data sets.

    Raises:
        ValueError: There is no model, no training sample to fit on, or data that cannot be used.
    """
    if not settings.ood_data:
        return None
    if subject.trained is None:
        raise ValueError(
            f"ood_data: {subject.place} is stored predictions, and what is given for other images "
            "can be had of a model alone. Name the model, or leave them out."
        )
    train, test = subject.outputs("train"), subject.outputs("test")
    if train is None:
        raise ValueError(
            f"ood_data: there are no training samples of {subject.place} that scores could be "
            "fitted on. Name data with a training split on this machine."
        )
    assert test is not None
    assert train.features is not None
    assert test.features is not None
    weight, bias = subject.last_layer or (None, None)
    scores = OutOfDistribution(train.features, train.logits, train.true_labels, weight, bias)
    known = scores.of(test.features, test.logits)
    values: dict[str, float] = {}
    details = []
    notes = []
    others: dict[str, dict[str, Tensor]] = {}
    for word, key in keyed(settings.ood_data, "ood_data"):
        data = load_other_data(subject, word, "ood_data", labelled=False)
        notes += notes_on(word, data)
        notes += _overlap(subject, data)
        split = data.test.labelled
        if split is None:
            raise ValueError(f"ood_data: {word} cannot be looked at as a stream.")
        channels = subject.trained.description.input_size[0]
        split = with_channels(sample(split, _SAMPLES), channels, f"ood_data: {word}")
        outputs = subject.of(split, f"ood {data.fingerprint} {_SAMPLES} {channels}")
        assert outputs.features is not None
        others[key] = scores.of(outputs.features, outputs.logits)
        of_data = _values(key, known, others[key])
        values |= of_data
        details.append(
            {
                "key": key,
                "data": label_of(word),
                "samples": len(outputs),
                "histograms": {
                    name: _histograms(*(_drawn(name, each[name]) for each in (known, others[key])))
                    for name in known
                },
            }
        )
    notes.append(
        f"OOD scores are fitted on {len(train):,} training samples; those of the known classes are "
        "the positive ones, and no test sample chooses anything. kNN takes the "
        f"{min(50, len(train))}th neighbour; Mahalanobis the pseudo-inverse of the shared "
        f"covariance; ViM a principal space of {scores.principal} of {train.num_features} "
        "dimensions."
    )

    def resampled(index: Tensor) -> Mapping[str, float]:
        """Both kinds of samples are drawn anew, the same for every model."""
        again: dict[str, float] = {}
        chosen = {name: each[index] for name, each in known.items()}
        for key, of_data in others.items():
            other = _drawn_beside(index, len(of_data["msp"]), settings.seed)
            again |= _values(key, chosen, {name: each[other] for name, each in of_data.items()})
        return again

    return Findings(values, details, tuple(dict.fromkeys(notes)), resampled=resampled)


def _drawn_beside(index: Tensor, samples: int, seed: int) -> Tensor:
    """Indices of other samples drawn anew, the same for the same draw of test samples."""
    generator = torch.Generator().manual_seed(
        derive_seed(seed, "ood", zlib.crc32(index.numpy().tobytes()))
    )
    return torch.randint(samples, (samples,), generator=generator)


def _values(key: str, known: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> dict[str, float]:
    values = {}
    for name, scores in known.items():
        found = detection(scores, other[name])
        values[f"test_ood_{key}_{name}_auroc"] = float(found.auroc)
        values[f"test_ood_{key}_{name}_fpr95"] = float(found.fpr95)
    return values


def _drawn(name: str, scores: Tensor) -> Tensor:
    """As a picture shows a score: squared distances reach over many powers of ten."""
    if name != "mahalanobis":
        return scores
    return -(-scores).clamp(min=1e-6).log10()


def _histograms(known: Tensor, other: Tensor) -> dict[str, object] | None:
    """Fractions in bins from the 0.5 % to the 99.5 % quantile; the outermost hold the rest."""
    both = torch.cat([known, other])
    both = both[both.isfinite()]
    if not len(both):
        return None
    low, high = (float(both.sort().values[int(at * (len(both) - 1))]) for at in (0.005, 0.995))
    if not low < high:
        return None
    counted = [
        torch.bincount(
            ((each - low) / (high - low) * _BINS).nan_to_num(0).clamp(0, _BINS - 1).long(),
            minlength=_BINS,
        )
        for each in (known, other)
    ]
    return {
        "low": low,
        "high": high,
        "known": [round(each, 6) for each in (counted[0] / len(known)).tolist()],
        "other": [round(each, 6) for each in (counted[1] / len(other)).tolist()],
    }


def _overlap(subject: Subject, data: ImageData) -> list[str]:
    """A warning where the other data has classes of a name that the model knows."""
    known = {each.casefold() for each in subject.classes}
    both = [each for each in data.classes if each.casefold() in known]
    if not both:
        return []
    return [
        f"OOD: {len(both)} of the {len(data.classes)} classes of {data.name} are called as classes "
        f"that the models know ({listed(both)}). If they are the same, its images are no unknown "
        "ones, and AUROC and FPR95 say little."
    ]


def _facts(settings: InspectionSettings) -> tuple[MeasureFacts, ...]:
    return tuple(
        each
        for word, key in keyed(settings.ood_data, "ood_data")
        for name, label in SCORES.items()
        for each in (
            fact(
                f"test_ood_{key}_{name}_auroc",
                f"{label}, AUROC ({label_of(word)})",
                f"probability that {label} is higher for a test image than for one of "
                f"{label_of(word)}, ties half",
                better="higher",
                percent=True,
                digits=1,
                headline=name == "msp",
            ),
            fact(
                f"test_ood_{key}_{name}_fpr95",
                f"{label}, FPR95 ({label_of(word)})",
                f"fraction of {label_of(word)} that {label} takes for known where it takes 95 % of "
                "the test images for known",
                better="lower",
                percent=True,
                digits=1,
            ),
        )
    )


OOD = Analysis(
    name="ood",
    facts=_facts,
    run=_run,
    version=3,
    depends_on=lambda settings: list(settings.ood_data),
    contents=lambda subject, settings: fingerprints(
        subject, settings.ood_data, "ood_data", labelled=False
    ),
)
