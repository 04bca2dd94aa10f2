"""How far apart the classes lie (MaxSup paper, Tables 2 and 9), and which lie closest together."""

from typing import TYPE_CHECKING, Any, NamedTuple

from markupsafe import Markup

from maxsup.report.inspection._shared import (
    InspectionSection,
    labels_of,
    measures_of,
    models_of,
)

if TYPE_CHECKING:
    from maxsup.inspection.schema import Inspection, ModelFacts

_KINDS = {"collapsed": "Most collapsed", "spread": "Most spread"}
_ENDS = ("nearest", "farthest")
_LISTED = 20
"""Classes up to which all stand in the table; of more, so many of either end."""


class _Row(NamedTuple):
    name: str
    samples: list[int]
    """Of the first model of each group that has the class, each number once."""
    within: dict[str, float | None]


class _Thumbnail(NamedTuple):
    picture: Markup
    words: str


class _Class(NamedTuple):
    name: str
    within: float
    images: list[_Thumbnail]


class _Group(NamedTuple):
    label: str
    seed: int
    kinds: dict[str, list[_Class]]


def _content(inspection: "Inspection") -> dict[str, object] | None:
    labels = labels_of(inspection)
    measures = measures_of(
        inspection,
        *("test_d_within", "test_d_total", "test_r2"),
        *("train_d_within", "train_d_total", "train_r2"),
    )
    found = {
        name: [
            m for m in models_of(inspection, name) if "test" in m["details"].get("separation", {})
        ]
        for name in labels
    }
    found = {name: models for name, models in found.items() if models}
    if not measures:
        return None
    rows = _rows(found)
    return {
        "inspection": inspection,
        "measures": [measures[:3], measures[3:]],
        "labels": {name: labels[name] for name in found},
        "rows": rows if len(rows) <= 2 * _LISTED else [*rows[:_LISTED], *rows[-_LISTED:]],
        "left_out": max(0, len(rows) - 2 * _LISTED),
        "groups": [_group(labels[name], models[0]) for name, models in found.items()],
    }


def _rows(found: "dict[str, list[ModelFacts]]") -> list[_Row]:
    """Each class's within-class distance, the mean over each group's models; collapsed first.

    Classes are matched by their names: models of other data may have others, or another order.
    """
    names = dict.fromkeys(
        name for models in found.values() for model in models for name in model["classes"]
    )
    rows = []
    for name in names:
        within = {group: _mean(models, name) for group, models in found.items()}
        if any(each is not None for each in within.values()):
            samples = (_samples(models[0], name) for models in found.values())
            counts = list(dict.fromkeys(each for each in samples if each is not None))
            rows.append(_Row(name, counts, within))
    if not found:
        return []
    baseline = next(iter(found))
    return sorted(rows, key=lambda row: -1.0 if (at := row.within[baseline]) is None else at)


def _samples(model: "ModelFacts", name: str) -> int | None:
    if name not in model["classes"]:
        return None
    samples: int = model["details"]["separation"]["test"]["samples"][model["classes"].index(name)]
    return samples


def _mean(models: "list[ModelFacts]", name: str) -> float | None:
    values = [
        value
        for model in models
        if name in model["classes"]
        and (
            value := model["details"]["separation"]["test"]["within"][model["classes"].index(name)]
        )
        is not None
    ]
    return sum(values) / len(values) if values else None


def _group(label: str, model: "ModelFacts") -> _Group:
    details = model["details"]["separation"]
    return _Group(
        label,
        model["seed"],
        {
            _KINDS[kind]: [_class(each, model, details["test"]["within"]) for each in classes]
            for kind, classes in details["shown"].items()
            if classes
        },
    )


def _class(shown: dict[str, Any], model: "ModelFacts", within: list[float]) -> _Class:
    classes = model["classes"]
    name = classes[shown["class"]]
    return _Class(
        name,
        within[shown["class"]],
        [
            _thumbnail(each, end, shown["class"], classes)
            for end in _ENDS
            for each in shown[end]
            if each["picture"] is not None
        ],
    )


def _thumbnail(sample: dict[str, Any], end: str, label: int, classes: list[str]) -> _Thumbnail:
    words = f"{end}, cosine {sample['cosine']:.2f}"
    if sample["predicted"] != label:
        words += f", taken for {classes[sample['predicted']]}"
    picture = Markup('<img src="{}" alt="Test image {} of {}">').format(
        sample["picture"], sample["id"], classes[label]
    )
    return _Thumbnail(picture, words)


SEPARATION = InspectionSection(
    anchor="separation",
    heading="Class separation",
    title="How far apart the classes lie",
    content=_content,
)
