"""How far classes have shrunk to points, and how much of their space the features use."""

from collections.abc import Mapping

import torch
from torch import Tensor

from maxsup.evaluation import Outputs
from maxsup.inspection._analysis import Analysis, Findings, fact
from maxsup.inspection._settings import InspectionSettings
from maxsup.inspection._subject import Subject
from maxsup.measures import (
    CollapseValues,
    FeatureMoments,
    Moments,
    collapse_of_moments,
    layer_spectrum,
    logit_conditions,
    nearest_class_mean,
)

_MOST_WORK = 1e10
"""Multiplications of one draw up to which the test samples are drawn anew: minutes in all."""
_SHOWN = 2_048
"""Principal directions of a spectrum that are kept for its picture."""


def _run(subject: Subject, settings: InspectionSettings) -> Findings | None:
    """The measures of collapse of both parts, and the last layer's spectrum."""
    parts = {
        part: outputs
        for part in ("train", "test")
        if (outputs := subject.outputs(part)) is not None and outputs.features is not None
    }
    if not parts:
        return None
    weight = _weight_that_fits(subject, parts["test"]) if "test" in parts else None
    moments = {part: _moments(outputs) for part, outputs in parts.items()}
    # NC4 is about the means of training samples; without these, about those that there are.
    means = moments["train" if "train" in moments else "test"]
    values: dict[str, float] = {}
    contributions: dict[str, Tensor] = {}
    spectra: dict[str, list[float]] = {}
    conditions: dict[str, Tensor] = {}
    for part, outputs in parts.items():
        found = collapse_of_moments(moments[part], weight)
        values |= _named(part, outputs, found)
        disagrees = _disagreement(outputs, means)
        values[f"{part}_nc4"] = float(disagrees.mean())
        if part == "test":
            contributions["test_nc4"] = disagrees
        conditions[part] = logit_conditions(outputs.logits).log()
        values[f"{part}_curvature"] = float(conditions[part].mean().exp())
        spectra[part] = _rounded(found.spectrum)
    if weight is not None:
        layer = layer_spectrum(weight)
        values |= {
            "layer_rank": float(layer.rank),
            "layer_rank_fraction": float(layer.rank_fraction),
            "layer_condition": float(layer.condition_number),
        }
        spectra["layer"] = _rounded(layer.singular_values)
    test = parts.get("test")
    small = test is not None and _work(test) <= _MOST_WORK
    return Findings(
        values,
        spectra,
        tuple(_notes(subject, parts, weight, small)),
        contributions,
        (lambda index: _drawn_anew(test, conditions["test"], index, weight))
        if test and small
        else None,
    )


def _rounded(singular_values: Tensor) -> list[float]:
    """As a picture needs them; nothing where they do not exist."""
    shown = singular_values[:_SHOWN]
    return [float(f"{each:.5g}") for each in shown.tolist()] if shown.isfinite().all() else []


def _moments(outputs: Outputs) -> Moments:
    assert outputs.features is not None
    classes, width = outputs.num_classes, outputs.features.shape[1]
    metric = FeatureMoments(classes, width, sync_on_compute=False)
    metric.update(outputs.features, outputs.true_labels)
    return metric.compute().in_full()


def _named(part: str, outputs: Outputs, found: CollapseValues) -> dict[str, float]:
    left_out = {"spectrum"} if _has_vci(outputs) else {"spectrum", "vci"}
    return {
        f"{part}_{name}": float(value)
        for name, value in found._asdict().items()
        if name not in left_out
    }


def _has_vci(outputs: Outputs) -> bool:
    """Whether the variability collapse index can be other than 0.

    No more samples than features lie so that some direction tells any classes apart.
    """
    assert outputs.features is not None
    return len(outputs) - 1 > outputs.features.shape[1]


def _drawn_anew(
    outputs: Outputs, conditions: Tensor, index: Tensor, weight: Tensor | None
) -> Mapping[str, float]:
    drawn = outputs.select(index)
    return {
        **_named("test", drawn, collapse_of_moments(_moments(drawn), weight)),
        "test_curvature": float(conditions[index].mean().exp()),
    }


def _work(outputs: Outputs) -> float:
    assert outputs.features is not None
    # Their covariance, and the singular values of the class means.
    rows = len(outputs) + 10 * outputs.num_classes
    return rows * float(outputs.features.shape[1]) ** 2


def _disagreement(outputs: Outputs, means: Moments) -> Tensor:
    """1 for each sample whose prediction is not the class of the nearest mean."""
    assert outputs.features is not None
    if not (means.mean.isfinite().all() and outputs.features.isfinite().all()):
        return torch.full((len(outputs),), torch.nan, dtype=torch.float64)
    nearest = nearest_class_mean(outputs.features, means)
    return (nearest != outputs.logits.argmax(dim=1)).double()


def _weight_that_fits(subject: Subject, outputs: Outputs) -> Tensor | None:
    """The last layer's weight, where it is one row a class on these very features."""
    layer = subject.last_layer
    assert outputs.features is not None
    shape = torch.Size([outputs.num_classes, outputs.features.shape[1]])
    return layer[0] if layer is not None and layer[0].shape == shape else None


def _notes(
    subject: Subject, parts: Mapping[str, Outputs], weight: Tensor | None, small: bool
) -> list[str]:
    notes = []
    if weight is None:
        notes.append(
            f"{subject.name}: its last layer is not at hand, so nothing is said of self-duality "
            "and of the layer's rank."
        )
    if "train" not in parts:
        notes.append(
            f"{subject.name}: there are no features of training samples, so the nearest class mean "
            "is that of test samples."
        )
    for part, outputs in parts.items():
        assert outputs.features is not None
        absent = outputs.num_classes - len(outputs.true_labels.unique())
        if not _has_vci(outputs):
            samples, width = outputs.features.shape
            notes.append(
                f"{subject.name}: {samples:,} {part} samples with {width:,} features: with no more "
                "samples than features the variability collapse index (VCI) is 0 whatever they "
                f"are, so it is left out of {part} samples."
            )
        if absent:
            notes.append(
                f"{subject.name}: {absent:,} of {outputs.num_classes:,} classes have no {part} "
                "samples; the measures of collapse leave them out."
            )
    if "test" in parts and not small:
        notes.append(
            f"{subject.name}: with so many samples and features the measures of collapse are not "
            "computed anew for each draw of the test samples; they have intervals over seeds alone."
        )
    return notes


_PARTS = {"test": "test", "train": "training"}
_SIMPLEX = "0 where the class means form a simplex"
_MEASURED = (
    (
        "nc1",
        "NC1",
        "spread of features within classes by that between them, trace(Σ_W Σ_B⁺)/K, of {part} "
        "samples; 0 where each class is a point (eigenvalues of Σ_B below max(K, D)·2.2e-16 of the "
        "largest count as 0)",
        4,
        (0.0, None),
    ),
    (
        "cdnv",
        "CDNV",
        "class-distance normalised variance of {part} features: mean over pairs of classes of the "
        "two variances by twice the squared distance of the two means; 0 where each class is a "
        "point",
        4,
        (0.0, None),
    ),
    (
        "vci",
        "VCI",
        "variability collapse index 1 − trace(Σ_T⁺ Σ_B)/rank(Σ_B) of {part} features (Xu & Liu "
        "2023): 0 collapsed, 1 not at all; no linear map of the features changes it",
        4,
        (0.0, 1.0),
    ),
    (
        "equinorm",
        "NC2, equal norms",
        "standard deviation by mean of the lengths of the class means, about their mean, of "
        f"{{part}} features; {_SIMPLEX}",
        4,
        (0.0, None),
    ),
    (
        "equiangular",
        "NC2, equal angles",
        "mean over pairs of classes of |cosine + 1/(K − 1)| of their means, about the mean of the "
        f"means, of {{part}} features; {_SIMPLEX}",
        4,
        (0.0, 2.0),
    ),
    (
        "angle_std",
        "NC2, sd of cosines",
        "standard deviation over pairs of classes of the cosine of their means, about the mean of "
        f"the means, of {{part}} features; {_SIMPLEX}",
        4,
        (0.0, 1.0),
    ),
    (
        "self_duality",
        "NC3, self-duality",
        "‖W/‖W‖ − M/‖M‖‖ of the last layer’s weight W and the class means M of {part} features "
        "about their mean: 0 where both are the same up to a factor, √2 where they have nothing to "
        "do with each other",
        4,
        (0.0, 2.0),
    ),
    (
        "self_duality_cosine",
        "NC3, cosine",
        "mean over classes of the cosine of the last layer’s row and the class mean of {part} "
        "features about the mean of the means; 1 where they are parallel",
        4,
        (-1.0, 1.0),
    ),
    (
        "nc4",
        "NC4",
        "fraction of {part} samples whose predicted class is not that of the nearest mean of "
        "training features; 0 where the last layer does no more than look for it",
        2,
        (0.0, 1.0),
    ),
    (
        "rank",
        "Effective rank",
        "exp of the entropy of the singular values of {part} features about their mean, divided by "
        "their sum: the number of directions that they make use of",
        2,
        (1.0, None),
    ),
    (
        "rank_fraction",
        "Effective rank, fraction",
        "effective rank by the largest there can be, min(N − 1, D), of {part} features",
        3,
        (0.0, 1.0),
    ),
    (
        "condition_number",
        "Condition, class means",
        "largest by smallest singular value, of those that are not 0, of the class means of {part} "
        "features, each weighing as its samples; 1 for a simplex",
        2,
        (1.0, None),
    ),
    (
        "curvature",
        "Condition, logits",
        "condition number of a sample’s Hessian of the cross-entropy with respect to its logits, "
        "diag(p) − p pᵀ without the direction of all logits alike, geometric mean over {part} "
        "samples; at the minimisers of the unconstrained features model it is K times the true "
        "class’s probability, and label smoothing lowers it (Guo et al. 2024)",
        1,
        (1.0, None),
    ),
)
_HEADLINES = ("test_nc1", "test_vci")

COLLAPSE = Analysis(
    name="collapse",
    facts=(
        *(
            fact(
                f"{part}_{name}",
                f"{label} ({part})",
                help.format(part=words),
                percent=name == "nc4",
                digits=digits,
                headline=f"{part}_{name}" in _HEADLINES,
                bounds=bounds,
            )
            for name, label, help, digits, bounds in _MEASURED
            for part, words in _PARTS.items()
        ),
        fact(
            "layer_rank",
            "Effective rank, layer",
            "exp of the entropy of the singular values of the last layer’s weight (its mean row "
            "subtracted, which changes no probability), divided by their sum",
            digits=2,
            bounds=(1.0, None),
        ),
        fact(
            "layer_rank_fraction",
            "Effective rank, layer, fraction",
            "effective rank of the last layer’s weight by the largest there can be, min(K − 1, D)",
            bounds=(0.0, 1.0),
        ),
        fact(
            "layer_condition",
            "Condition, layer",
            "largest by smallest singular value, of those that are not 0, of the last layer’s "
            "weight (its mean row subtracted); 1 for a simplex",
            digits=2,
            bounds=(1.0, None),
        ),
    ),
    run=_run,
    version=3,
)
