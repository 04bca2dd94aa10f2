"""What the page's pictures show beyond the table: computed once, kept in the results."""

import statistics
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch

from maxsup.data import ImageData, Normalization
from maxsup.measures import logit_densities, template_projection, three_confused
from maxsup.models import class_templates
from maxsup.results import schema
from maxsup.study._settings import StudySettings
from maxsup.training import WEIGHTS_FILE, RunResult, build_model, features_of, load_weights

_SAMPLES = 80
"""Test samples of each class in the projection, as in the paper's Appendix G."""

_BEYOND = 5.0
"""How many times the median spread a method's logits may have and still share the others' axis."""

Finished = Mapping[tuple[str, int], RunResult]


def pooled_logits(settings: StudySettings, finished: Finished) -> dict[str, schema.LogitDensity]:
    """The density of each method's logits over its finished seeds.

    On common edges, so that methods can be compared; but one that spreads far beyond the others
    would press them into a line, and has edges of its own.
    """
    counts = {
        method: [run.evaluation.logit_counts for (of, _), run in finished.items() if of == method]
        for method in settings.methods
    }
    pooled = {method: torch.stack(each).sum(dim=0) for method, each in counts.items() if each}
    if not pooled:
        return {}
    spreads = {method: _spread(each) for method, each in pooled.items()}
    usual = _BEYOND * statistics.median(spreads.values())
    common = [method for method in pooled if spreads[method] <= usual]
    found: dict[str, schema.LogitDensity] = {}
    for group in (common, *([method] for method in pooled if method not in common)):
        edges, densities = logit_densities([pooled[method] for method in group])
        for method, density in zip(group, densities, strict=True):
            found[method] = schema.LogitDensity(edges=edges, density=density)
    return found


def _spread(counts: torch.Tensor) -> float:
    """The standard deviation of a histogram, in bins."""
    share = counts.double() / counts.sum().clamp(min=1)
    places = torch.arange(len(counts), dtype=torch.float64)
    mean = (share * places).sum()
    return float((share * (places - mean).square()).sum().sqrt())


def confused_classes(
    settings: StudySettings, data: ImageData, finished: Finished, directory: Path
) -> schema.Confused | None:
    """Penultimate features of three confused classes, for one model of each method.

    The classes are chosen on the training set, by the baseline (by the first method with a finished
    run where the baseline has none), so that no test image decides what is shown.
    """
    test = data.test.labelled
    # Of a stream, no samples can be picked out.
    if len(data.classes) < 3 or not finished or test is None:
        return None
    chooser = next(
        (name for name in (settings.baseline, *settings.methods) if _seeds(finished, name)), ""
    )
    matrices = [finished[chooser, seed].evaluation.confusion for seed in _seeds(finished, chooser)]
    classes = three_confused(torch.stack(matrices).mean(dim=0))
    shown = [(test.true_labels == label).nonzero().flatten()[:_SAMPLES] for label in classes]
    normalization = Normalization.of(data.train)
    projections = {}
    for method in settings.methods:
        seeds = _seeds(finished, method)
        if not seeds:
            continue
        # Its own weights come next: none to start from are needed.
        model = build_model(replace(settings.recipe, weights=None), data)
        place = settings.run_directory(directory, method, seeds[0])
        model.load_state_dict(load_weights(place / WEIGHTS_FILE))
        features = features_of(model, test.select(torch.cat(shown)), normalization)
        try:
            projected = template_projection(features, class_templates(model)[list(classes)])
        except ValueError:
            # Three templates on one line, as in a model that learned nothing: no plane to show.
            continue
        points = projected.points.split([len(index) for index in shown])
        projections[method] = schema.Projection(
            seed=seeds[0],
            points=[[_rounded(point) for point in of_class.tolist()] for of_class in points],
            templates=[_rounded(template) for template in projected.templates.tolist()],
        )
    label = "the baseline" if chooser == "baseline" else chooser
    return schema.Confused(
        classes=list(classes),
        chosen_by=f"The three classes between which {label} puts the most probability on the "
        "training set.",
        projections=projections,
    )


def _seeds(finished: Finished, method: str) -> list[int]:
    return [seed for of, seed in finished if of == method]


def _rounded(point: list[float]) -> list[float]:
    # A picture needs no more, and the page is the smaller for it.
    return [round(coordinate, 4) for coordinate in point]
