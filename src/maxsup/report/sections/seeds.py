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
from maxsup.results.schema import MeasureFacts
from maxsup.statistics import Contrast


def _content(results: Results) -> dict[str, object] | None:
    return gallery([*_seeds(results), *_differences(results)])


def _seeds(results: Results) -> list[Picture]:
    labels = labels_of(results)
    primary = results["measures"][0]
    scale = _scale(primary)
    values: dict[str, dict[int, float]] = {name: {} for name in labels}
    for run in finished_runs(results):
        value = run["values"][primary["name"]]
        if value is not None:
            values[run["method"]][run["seed"]] = scale * value
    means = {
        name: scale * mean
        for name in labels
        if (mean := results["summary"][primary["name"]][name]["mean"]) is not None
    }
    if not means:
        return []
    measure = f"{primary['label']} on the test set" + (", %" if primary["percent"] else "")
    return [
        picture(
            figures.seeds_figure(values, labels, means, measure),
            "A dot for each seed, a bar at the mean; thin lines join the runs that share a seed"
            + ("." if results.get("predictions") else ", and so the start and every batch."),
        )
    ]


def _differences(results: Results) -> list[Picture]:
    labels = labels_of(results)
    primary = results["measures"][0]
    scale = _scale(primary)
    differences = {
        each["method"]: (scale * each["mean"], *_scaled(each, scale))
        for each in results["contrasts"]
        if each["against"] == results["baseline"] and each["mean"] is not None
    }
    if not differences:
        return []
    unit = "points" if primary["percent"] else primary["label"]
    return [
        picture(
            figures.differences_figure(differences, labels, scale * results["margin"], unit),
            f"Mean difference to {labels[results['baseline']]} with its 95 % interval, as in the "
            "table; the band is the margin, within which differences do not matter.",
        )
    ]


def _scale(measure: MeasureFacts) -> int:
    return 100 if measure["percent"] else 1


def _scaled(contrast: Contrast, scale: int) -> tuple[float | None, float | None]:
    if contrast["low"] is None or contrast["high"] is None:
        return None, None
    return scale * contrast["low"], scale * contrast["high"]


SEEDS = StudySection(anchor="seeds", heading="Seed by seed", title="Seed by seed", content=_content)
