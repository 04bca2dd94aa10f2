"""What can be seen of a model before anything is looked at or written."""

import torch

from maxsup.evaluation import evaluation_batches_of
from maxsup.inspection._settings import InspectionSettings
from maxsup.inspection._subject import Subject
from maxsup.inspection.analyses import ANALYSES
from maxsup.inspection.analyses.convergence import CONVERGENCE, check_epochs
from maxsup.models import find_cam_layer

_OF_A_MODEL = ("corruptions", "ood_data", "transfer_data", "probe_label")
"""Options that nothing can be done about with stored predictions."""


def check_subject(subject: Subject, settings: InspectionSettings) -> None:
    """See that a model can be looked at as asked, as far as its data and its parts tell.

    Raises:
        ValueError: It cannot; the message names the option, what came and what was expected.
    """
    if subject.trained is None:
        for option in _OF_A_MODEL:
            if getattr(settings, option):
                raise ValueError(
                    f"{option}: {subject.place} is stored predictions, and what is given for other "
                    "images or labels can be had of a model alone. Name the model, or leave either "
                    "out."
                )
    _check_classes(subject, settings)
    for analysis in ANALYSES:
        if analysis.name not in settings.skip:
            # Other data, labels, boxes and masks are read for it.
            analysis.contents(subject, settings)
    if CONVERGENCE.name not in settings.skip:
        check_epochs(subject)
    if settings.cam_layer is not None:
        _check_layer(subject, settings.cam_layer)


def _check_classes(subject: Subject, settings: InspectionSettings) -> None:
    asked = settings.projection_classes
    unknown = [name for name in asked if name not in subject.classes] if asked else []
    if unknown:
        classes = subject.classes
        raise ValueError(
            f"projection_classes: {unknown[0]!r} is none of the {len(classes)} classes of "
            f"{subject.place}, such as {', '.join(classes[:5])}."
        )


def _check_layer(subject: Subject, layer: str) -> None:
    split = subject.images("test")
    if subject.trained is None or split is None:
        return
    one = split.select(torch.zeros(1, dtype=torch.int64))
    batch = next(evaluation_batches_of(one, subject.execution.alone()))
    try:
        find_cam_layer(subject.trained.model, subject.trained.normalization(batch.images), layer)
    except ValueError as error:
        raise ValueError(f"cam_layer: {subject.place}: {error}") from error
