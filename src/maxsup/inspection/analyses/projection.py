"""Features of three classes on a plane (MaxSup paper, Figures 1, 4 and 5, Appendix G)."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from maxsup.evaluation import CONFUSION, Outputs, measure_outputs
from maxsup.inspection._analysis import Analysis, Findings
from maxsup.inspection._settings import InspectionSettings
from maxsup.inspection._subject import Subject
from maxsup.measures import centroid_projection, template_projection, three_confused

SAMPLES = 80
"""Samples of each class, as in the paper's Appendix G."""


def choose_classes(settings: InspectionSettings, subjects: Sequence[Subject]) -> InspectionSettings:
    """The settings with three classes to project, the same for all models.

    Where none are named, they are those between which the given models put the most probability, on
    training data where there is some, so that no test sample decides what is shown.
    """
    classes = subjects[0].classes
    if settings.projection_classes or len(classes) < 3 or PROJECTION.name in settings.skip:
        return settings
    matrices = []
    for subject in subjects:
        if subject.classes != classes:
            continue
        outputs = subject.outputs("train") or subject.outputs("test")
        assert outputs is not None
        found = measure_outputs([outputs], "train", [], [CONFUSION], alone=True).records
        if CONFUSION.name not in found:
            return settings  # so many classes that it is not recorded
        matrices.append(found[CONFUSION.name])
        subject.forget()
    chosen = three_confused(torch.stack(matrices).mean(dim=0))
    return replace(settings, projection_classes=tuple(classes[each] for each in chosen))


def _run(subject: Subject, settings: InspectionSettings) -> Findings | None:
    """The features of some samples of each class, on both planes, of both parts."""
    names = settings.projection_classes
    if len(names) != 3:
        return None
    unknown = [name for name in names if name not in subject.classes]
    if unknown:
        return Findings(
            notes=(
                f"{subject.name}: no projection, as it does not know the class {unknown[0]}; the "
                "three classes are the first model's. Name others with --projection-classes.",
            )
        )
    classes = [subject.classes.index(name) for name in names]
    last_layer = subject.last_layer
    details: dict[str, object] = {"classes": list(names), "planes": {}}
    notes = []
    for part in ("train", "test"):
        outputs = subject.outputs(part)
        if outputs is None or outputs.features is None:
            continue
        taken = [_taken(outputs, label, settings.seed) for label in classes]
        features = torch.cat([outputs.features[index] for index in taken])
        labels = [number for number, index in enumerate(taken) for _ in index]
        of_part = {}
        if last_layer is not None:
            try:
                projected = template_projection(features, last_layer[0][classes])
                of_part["templates"] = _drawn(projected.points, projected.templates, labels)
            except ValueError as error:
                notes.append(f"{subject.name}: no plane through its templates: {error}")
        try:
            centred = centroid_projection(features, torch.tensor(labels))
            of_part["centroids"] = _drawn(centred.points, centred.templates, labels)
        except ValueError as error:
            notes.append(f"{subject.name}: no plane through its classes' means: {error}")
        details["planes"][part] = of_part  # type: ignore[index]
    if not any(details["planes"].values()):  # type: ignore[attr-defined]
        return None
    return Findings(details=details, notes=tuple(dict.fromkeys(notes)))


def _taken(outputs: Outputs, label: int, seed: int) -> Tensor:
    """Some samples of a class, the same for every model."""
    of_class = (outputs.true_labels == label).nonzero().flatten()
    generator = torch.Generator().manual_seed(seed)
    return of_class[torch.randperm(len(of_class), generator=generator)[:SAMPLES]]


def _drawn(points: Tensor, templates: Tensor, labels: list[int]) -> dict[str, object]:
    of_class = torch.tensor(labels)
    return {
        "points": [_rounded(points[of_class == number]) for number in range(3)],
        "templates": _rounded(templates),
    }


def _rounded(points: Tensor) -> list[list[float]]:
    # A picture needs no more, and the page is the smaller for it.
    return [[round(each, 4) for each in point] for point in points.tolist()]


PROJECTION = Analysis(
    name="projection",
    facts=(),
    run=_run,
    depends_on=lambda settings: list(settings.projection_classes),
)
