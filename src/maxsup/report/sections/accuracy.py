"""The primary measure of each seed, and its differences to the baseline."""

from maxsup import figures
from maxsup.report.sections._shared import (
    Picture,
    StudySection,
    finished_runs,
    gallery,
    labels_of,
    picture,
)
from maxsup.results import Results


def _content(results: Results) -> dict[str, object] | None:
    return gallery([*_seeds(results), *_differences(results)])


def _seeds(results: Results) -> list[Picture]:
    labels = labels_of(results)
    primary = results["measures"][0]["name"]
    values: dict[str, dict[int, float]] = {name: {} for name in labels}
    for run in finished_runs(results):
        value = run["values"][primary]
        if value is not None:
            values[run["method"]][run["seed"]] = 100 * value
    means = {
        name: 100 * mean
        for name in labels
        if (mean := results["summary"][primary][name]["mean"]) is not None
    }
    if not means:
        return []
    return [
        picture(
            figures.seeds_figure(values, labels, means),
            "A dot for each seed, a bar at the mean; thin lines join the runs that share a seed, "
            "and so the start and every batch.",
        )
    ]


def _differences(results: Results) -> list[Picture]:
    labels = labels_of(results)
    summaries = results["summary"][results["measures"][0]["name"]]
    differences = {
        name: (100 * found["mean"], _points(found["low"]), _points(found["high"]))
        for name in labels
        if (found := summaries[name]["difference"]) is not None
    }
    if not differences:
        return []
    return [
        picture(
            figures.differences_figure(differences, labels),
            f"Mean difference to {labels[results['baseline']]} with its 95 % interval; one "
            "that crosses 0 is not told from chance.",
        )
    ]


def _points(fraction: float | None) -> float | None:
    return None if fraction is None else 100 * fraction


ACCURACY = StudySection(
    anchor="accuracy", heading="Accuracy", title="Accuracy, seed by seed", content=_content
)
