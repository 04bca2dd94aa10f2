"""How features and last layer came to be, epoch by epoch."""

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from maxsup import figures
from maxsup.report.inspection._shared import (
    InspectionSection,
    details_of,
    labels_of,
    legend_of,
    picture,
)

if TYPE_CHECKING:
    from maxsup.inspection.schema import Inspection


class _Curve(NamedTuple):
    key: str
    title: str
    factor: float = 1.0
    logarithmic: bool = False


_CURVES = (
    _Curve("train_accuracy", "Training accuracy, true labels, %", 100.0),
    _Curve("test_accuracy", "Test accuracy in %", 100.0),
    _Curve("train_rank", "Effective rank, training features"),
    _Curve("test_rank", "Effective rank, test features"),
    _Curve("layer_rank", "Effective rank, last layer"),
    _Curve("train_condition_number", "Condition, class means (training)", 1.0, True),
    _Curve("layer_condition", "Condition, last layer", 1.0, True),
    _Curve("train_curvature", "Condition, logits (training)", 1.0, True),
    _Curve("train_nc1", "NC1 (training)", 1.0, True),
)


class _Row(NamedTuple):
    label: str
    epoch: int
    values: list[float | None]


def _content(inspection: "Inspection") -> dict[str, object] | None:
    labels = labels_of(inspection)
    found = {name: of for name in labels if (of := details_of(inspection, name, "convergence"))}
    epochs = {name: _common(of) for name, of in found.items()}
    found = {name: of for name, of in found.items() if epochs[name]}
    if not found:
        return None
    curves = [
        (curve, {name: [_values(each, curve, epochs[name]) for each in of]
                 for name, of in found.items()})
        for curve in _CURVES
    ]  # fmt: skip
    # A curve that starts at infinity, or of a part that is not there, is left away.
    drawn = [(curve, of) for curve, of in curves if _is_known(of)]
    first = next(iter(found.values()))[0]
    return {
        "legend": legend_of(inspection, "convergence"),
        "samples": first["samples"],
        "several": max(len(of) for of in found.values()) > 1,
        "without": [label for name, label in labels.items() if name not in found],
        "pictures": [
            picture(
                figures.curve_figure(
                    f"convergence-{curve.key.replace('_', '-')}",
                    curve.title,
                    of,
                    labels,
                    epochs=epochs,
                    logarithmic=curve.logarithmic,
                )
            )
            for curve, of in drawn
        ],
        "titles": [curve.title for curve, _ in drawn],
        "rows": [
            _Row(
                labels[name],
                epoch,
                [_mean([seed[number] for seed in of[name]], curve) for curve, of in drawn],
            )
            for name in found
            for number, epoch in enumerate(epochs[name])
        ],
    }


def _common(found: list[dict[str, Any]]) -> list[int]:
    """The epochs that there are of all models of a group."""
    return sorted(set.intersection(*({*each["epochs"]} for each in found)))


def _values(found: dict[str, Any], curve: _Curve, epochs: list[int]) -> list[float]:
    """A model's numbers at some epochs; NaN where one does not exist."""
    values = dict(zip(found["epochs"], found["values"].get(curve.key, []), strict=False))
    return [
        math.nan if (value := values.get(epoch)) is None else curve.factor * value
        for epoch in epochs
    ]


def _is_known(curves: dict[str, list[list[float]]]) -> bool:
    return any(math.isfinite(value) for of in curves.values() for seed in of for value in seed)


def _mean(values: list[float], curve: _Curve) -> float | None:
    known = [each for each in values if math.isfinite(each)]
    if not known:
        return None
    if curve.logarithmic and min(known) > 0:
        return math.exp(sum(map(math.log, known)) / len(known))
    return sum(known) / len(known)


CONVERGENCE = InspectionSection(
    anchor="convergence",
    heading="Convergence",
    title="Rank and condition over the epochs",
    content=_content,
)
