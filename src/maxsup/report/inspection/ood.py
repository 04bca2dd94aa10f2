"""How well samples of unknown classes are told apart."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from maxsup import figures
from maxsup.report.inspection._shared import (
    InspectionSection,
    Picture,
    details_of,
    in_parts,
    labels_of,
    measures_of,
    picture,
)

if TYPE_CHECKING:
    from maxsup.inspection.schema import Inspection
    from maxsup.results.schema import MeasureFacts

_BINS = 40
_AXES = {"mahalanobis": "−log₁₀ of the squared distance"}
"""What a score is drawn as, where it is not drawn as it is."""


class _Score(NamedTuple):
    """One of the scores, with a picture for each group."""

    title: str
    pictures: list[Picture]


class _Data(NamedTuple):
    """One of the other data sets."""

    name: str
    samples: int
    measures: "list[list[MeasureFacts]]"
    scores: list[_Score]


def _content(inspection: "Inspection") -> dict[str, object] | None:
    found = {name: details_of(inspection, name, "ood") for name in labels_of(inspection)}
    first = next((each for of_group in found.values() for each in of_group), None)
    if not first:
        return None
    return {
        "inspection": inspection,
        "data": [
            _Data(
                each["data"],
                each["samples"],
                [
                    part
                    for what in ("auroc", "fpr95")
                    for part in in_parts(
                        measures_of(
                            inspection,
                            *(
                                f"test_ood_{each['key']}_{score}_{what}"
                                for score in each["histograms"]
                            ),
                        )
                    )
                ],
                _scores(inspection, found, each["key"], list(each["histograms"])),
            )
            for each in first
        ],
    }


def _scores(
    inspection: "Inspection", found: dict[str, list[Any]], key: str, names: list[str]
) -> list[_Score]:
    """The distributions of each score; those of one score share their horizontal scale."""
    scores = []
    for name in names:
        of_groups = {
            group: [
                histogram
                for of_model in of_group
                for each in of_model
                if each["key"] == key and (histogram := each["histograms"].get(name)) is not None
            ]
            for group, of_group in found.items()
        }
        of_groups = {group: of for group, of in of_groups.items() if of}
        (auroc,) = measures_of(inspection, f"test_ood_{key}_{name}_auroc") or (None,)
        if auroc is None or not of_groups:
            continue
        title = auroc["label"].partition(",")[0]
        scores.append(_Score(title, _pictures(inspection, of_groups, key, name, title)))
    return scores


def _pictures(
    inspection: "Inspection", of_groups: dict[str, list[Any]], key: str, name: str, title: str
) -> list[Picture]:
    window = (
        min(each["low"] for of in of_groups.values() for each in of),
        max(each["high"] for of in of_groups.values() for each in of),
    )
    means = {
        group: of["mean"]
        for group, of in inspection["summary"][f"test_ood_{key}_{name}_auroc"].items()
    }
    pictures = []
    for number, (group, label) in enumerate(labels_of(inspection).items()):
        if group not in of_groups:
            continue
        mean = means.get(group)
        said = "" if mean is None else f" (AUROC {100 * mean:.1f} %)"
        pictures.append(
            picture(
                figures.scores_figure(
                    f"ood-{key}-{name}-{number}",
                    f"{label}{said}",
                    number,
                    *_pooled(of_groups[group]),
                    score=_AXES.get(name, title),
                    window=window,
                )
            )
        )
    return pictures


def _pooled(histograms: list[Any]) -> tuple[list[float], list[float], list[float]]:
    """Edges, and the fractions of known and of other samples, the mean over a group's models."""
    low = min(each["low"] for each in histograms)
    high = max(each["high"] for each in histograms)
    edges = np.linspace(low, high, _BINS + 1)
    means = [
        np.mean([_rebinned(each, kind, edges) for each in histograms], axis=0).tolist()
        for kind in ("known", "other")
    ]
    return edges.tolist(), means[0], means[1]


def _rebinned(histogram: Any, kind: str, edges: Any) -> Any:
    """The fractions in other bins, as if those within a bin were spread evenly."""
    fractions = histogram[kind]
    own = np.linspace(histogram["low"], histogram["high"], len(fractions) + 1)
    return np.diff(np.interp(edges, own, np.concatenate([[0.0], np.cumsum(fractions)])))


OOD = InspectionSection(
    anchor="ood",
    heading="Unknown classes",
    title="Telling unknown classes from known ones",
    content=_content,
)
