"""Features of three confused classes, projected on a plane (MaxSup paper, Appendix G)."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from accelerate import Accelerator

from maxsup.data import ImageData, LabelledSplit
from maxsup.evaluation import CONFUSION, join_outputs, model_outputs
from maxsup.measures import template_projection, three_confused
from maxsup.models import CONFIG_FILE, WEIGHTS_FILE, class_templates, load_run
from maxsup.results import schema
from maxsup.study._data import StudyData
from maxsup.study._settings import StudySettings
from maxsup.study._variants import Variant
from maxsup.training import RunResult, execution_of

_SAMPLES = 80
"""Test samples of each class in the projection, as in the paper's Appendix G."""

Finished = Mapping[tuple[str, int], RunResult]


def confused_classes(
    settings: StudySettings,
    data: StudyData,
    finished: Finished,
    directory: Path,
    accelerator: Accelerator,
) -> schema.Confused | None:
    """Penultimate features of three confused classes, for one model of each method.

    The classes are chosen on the training set, by the baseline (by the first method with a finished
    run where the baseline has none), so that no test image decides what is shown. The features are
    those of which class separation is measured.
    """
    first = data.first
    # Of a stream, no samples can be picked out.
    if not isinstance(first, ImageData) or len(first.classes) < 3 or first.test.labelled is None:
        return None
    if not finished:
        return None
    chooser = next(
        (name for name in (settings.baseline, *settings.methods) if _seeds(finished, name)), ""
    )
    records = [finished[chooser, seed].records for seed in _seeds(finished, chooser)]
    if any(CONFUSION.name not in of_run for of_run in records):
        return None  # so many classes that it is not recorded
    matrices = [of_run[CONFUSION.name] for of_run in records]
    classes = three_confused(torch.stack(matrices).mean(dim=0))
    execution = execution_of(accelerator).alone()
    projections = {}
    without_weights = []
    for method in settings.methods:
        seeds = _seeds(finished, method)
        if not seeds:
            continue
        place = settings.run_directory(directory, method, seeds[0])
        # Runs of version 0.1 have left no description of their model.
        if not (place / CONFIG_FILE).exists():
            continue
        if not (place / WEIGHTS_FILE).exists():
            without_weights.append(method)
            continue
        its_data = data.of(seeds[0])
        assert isinstance(its_data, ImageData)
        samples = _samples(its_data, classes)
        run = load_run(place)
        model = run.model.to(execution.device)
        outputs = join_outputs(
            model_outputs(
                model,
                samples,
                run.normalization,
                execution,
                flip=settings.recipe.evaluate_flip,
            )
        )
        assert outputs.features is not None
        try:
            projected = template_projection(outputs.features, class_templates(model)[list(classes)])
        except ValueError:
            # Three templates on one line, as in a model that learned nothing: no plane to show.
            continue
        points = [projected.points[outputs.true_labels == label] for label in classes]
        projections[method] = schema.Projection(
            seed=seeds[0],
            points=[[_rounded(point) for point in of_class.tolist()] for of_class in points],
            templates=[_rounded(template) for template in projected.templates.tolist()],
        )
    label = "the baseline" if chooser == "baseline" else Variant.read(chooser).label()
    return schema.Confused(
        classes=list(classes),
        chosen_by=f"The three classes between which {label} puts the most probability on the "
        f"training set.{_without(without_weights)}",
        projections=projections,
    )


def _samples(data: ImageData, classes: Sequence[int]) -> LabelledSplit:
    """The first test samples of the classes."""
    test = data.test.labelled
    assert test is not None
    shown = [(test.true_labels == label).nonzero().flatten()[:_SAMPLES] for label in classes]
    return test.select(torch.cat(shown))


def _without(methods: list[str]) -> str:
    if not methods:
        return ""
    return f" Not shown, as the weights were removed: {', '.join(methods)}."


def _seeds(finished: Finished, method: str) -> list[int]:
    return [seed for of, seed in finished if of == method]


def _rounded(point: list[float]) -> list[float]:
    # A picture needs no more, and the page is the smaller for it.
    return [round(coordinate, 4) for coordinate in point]
