"""What a linear probe reads out of the features (MaxSup paper, Table 3)."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from maxsup import figures
from maxsup.measures import NARROW_RANGE, NEIGHBOURS
from maxsup.report.inspection._shared import (
    InspectionSection,
    Picture,
    details_of,
    labels_of,
    legend_of,
    measures_of,
    picture,
)

if TYPE_CHECKING:
    from maxsup.inspection.schema import Inspection
    from maxsup.results.schema import MeasureFacts

_ANALYSES = ("probe", "finer", "transfer")


class _Task(NamedTuple):
    """One thing that was learnt from the features."""

    what: str
    sizes: list[str]
    """Classes and samples in words; of each group where they differ."""
    tables: "list[list[MeasureFacts]]"
    picture: Picture
    choices: list[tuple[str, list[str]]]
    """By group: in a few words what each seed chose, with a warning where it is at the edge."""


def _content(inspection: "Inspection") -> dict[str, object] | None:
    labels = labels_of(inspection)
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for analysis in _ANALYSES:
        for name in labels:
            for of_model in details_of(inspection, name, analysis):
                for task in of_model:
                    found.setdefault(task["key"], {}).setdefault(name, []).append(task)
    if not found:
        return None
    low, high = NARROW_RANGE
    return {
        "inspection": inspection,
        "legend": legend_of(inspection, "probe"),
        "narrow": f"{low:g} … {high:g}",
        "tasks": [_task(inspection, key, of_groups) for key, of_groups in found.items()],
    }


def _task(inspection: "Inspection", key: str, found: dict[str, list[dict[str, Any]]]) -> _Task:
    labels = labels_of(inspection)
    first = next(iter(found.values()))[0]
    curves = [
        figures.ProbeCurve(
            number,
            label,
            (100 * np.mean([each["validation"] for each in found[name]], axis=0)).tolist(),
            [(each["chosen"]["l2"], 100 * each["chosen"]["validation"]) for each in found[name]],
        )
        for number, (name, label) in enumerate(labels.items())
        if name in found
    ]
    return _Task(
        first["what"],
        _sizes({labels[name]: of_group[0] for name, of_group in found.items()}),
        [
            measures_of(inspection, f"{key}_probe", f"{key}_probe_narrow"),
            measures_of(inspection, *(f"{key}_neighbours_{k}" for k in NEIGHBOURS)),
        ],
        picture(
            figures.probe_figure(f"probe-{key}", first["what"], first["l2"], curves, NARROW_RANGE)
        ),
        [
            (label, [_chosen(each) for each in found[name]])
            for name, label in labels.items()
            if name in found
        ],
    )


def _sizes(tasks: dict[str, dict[str, Any]]) -> list[str]:
    words = {
        label: f"{task['classes']:,} classes, {task['train']:,} training samples, "
        f"{task['test']:,} test samples"
        for label, task in tasks.items()
    }
    if len({*words.values()}) == 1:
        return [next(iter(words.values()))]
    return [f"{label}: {text}" for label, text in words.items()]


def _chosen(task: dict[str, Any]) -> str:
    chosen, narrow = task["chosen"], task["narrow"]
    return f"{_said(chosen)}, of the narrow range {_said(narrow)}"


def _said(chosen: dict[str, Any]) -> str:
    edge = f" ({chosen['edge']} of its range)" if chosen["edge"] else ""
    return f"{chosen['l2']:.1e}{edge}"


PROBE = InspectionSection(
    anchor="probe",
    heading="Probes",
    title="What the features hold for other classes",
    content=_content,
)
