"""Which pictures the page shows, made from the results."""

import math
from collections.abc import Callable
from typing import Literal, NamedTuple

from markupsafe import Markup

from maxsup import figures
from maxsup.results.schema import Reliability, Results, Run


class Picture(NamedTuple):
    """A picture with what is written below it."""

    svg: Markup
    caption: str = ""


def picture(svg: str, caption: str = "") -> Picture:
    """A picture; our own figures escape what comes from the data."""
    return Picture(Markup(svg), caption)


def accuracy_pictures(results: Results) -> list[Picture]:
    """Accuracy per seed, and the differences to the baseline."""
    labels = _labels(results)
    primary = results["measures"][0]["name"]
    summaries = results["summary"][primary]
    values: dict[str, dict[int, float]] = {name: {} for name in labels}
    for run in _finished(results):
        value = run["values"][primary]
        if value is not None:
            values[run["method"]][run["seed"]] = 100 * value
    means = {
        name: 100 * summaries[name]["mean"]  # type: ignore[operator]
        for name in labels
        if summaries[name]["mean"] is not None
    }
    if not means:
        return []
    pictures = [
        picture(
            figures.seeds_figure(values, labels, means),
            "A dot for each seed, a bar at the mean; thin lines join the runs that share a seed, "
            "and so the start and every batch.",
        )
    ]
    differences = {
        name: tuple(
            None if value is None else 100 * value
            for value in (found["mean"], found["low"], found["high"])
        )
        for name in labels
        if (found := summaries[name]["difference"]) is not None
    }
    if differences:
        pictures.append(
            picture(
                figures.differences_figure(differences, labels),  # type: ignore[arg-type]
                f"Mean difference to {labels[results['baseline']]} with its 95 % interval; one "
                "that crosses 0 is not told from chance.",
            )
        )
    return pictures


def curve_pictures(results: Results) -> list[Picture]:
    """Accuracy and losses over the epochs."""
    wanted: tuple[tuple[str, str, Callable[[float], float]], ...] = (
        ("test_accuracy", "Test accuracy in %", lambda value: 100 * value),
        ("train_accuracy", "Training accuracy in %", lambda value: 100 * value),
        ("test_nll", "Test NLL", lambda value: value),
        ("train_loss", "Training loss", lambda value: value),
    )
    labels = _labels(results)
    pictures = []
    for key, title, convert in wanted:
        curves = {
            name: [
                [convert(value) for row in run["history"] if (value := row.get(key)) is not None]
                for run in _finished(results)
                if run["method"] == name
            ]
            for name in labels
        }
        epochs = int(str(results["recipe"]["epochs"]))
        complete = {
            name: runs
            for name, runs in curves.items()
            if runs and all(len(run) == epochs for run in runs)
        }
        if complete:
            pictures.append(
                picture(figures.curve_figure(key.replace("_", "-"), title, complete, labels))
            )
    return pictures


def reliability_pictures(results: Results) -> list[Picture]:
    """A reliability diagram for each method, pooled over its seeds."""
    pictures = []
    for number, (name, label) in enumerate(_labels(results).items()):
        found = [
            run["reliability"]
            for run in _finished(results)
            if run["method"] == name and run["reliability"] is not None
        ]
        if not found:
            continue
        pooled = _pooled(found)
        pictures.append(
            picture(
                figures.reliability_figure(
                    f"reliability-{number}",
                    label,
                    number,
                    pooled["count"],
                    pooled["confidence"],
                    pooled["accuracy"],
                )
            )
        )
    return pictures


def logit_pictures(results: Results) -> list[Picture]:
    """The distribution of each method's logits."""
    logits = results["logits"]
    top = max((max(each["density"]) for each in logits.values()), default=0.0)
    return [
        picture(
            figures.logits_figure(
                f"logits-{number}",
                label,
                number,
                logits[name]["edges"],
                logits[name]["density"],
                1.05 * top,
            )
        )
        for number, (name, label) in enumerate(_labels(results).items())
        if name in logits
    ]


def projection_pictures(results: Results) -> list[Picture]:
    """Features of three confused classes, for each method."""
    confused = results["confused"]
    if confused is None:
        return []
    names = [results["data"]["classes"][place] for place in confused["classes"]]
    return [
        picture(
            figures.projection_figure(
                f"projection-{number}",
                label,
                confused["projections"][name]["points"],
                confused["projections"][name]["templates"],
                names,
            ),
            f"Seed {confused['projections'][name]['seed']}.",
        )
        for number, (name, label) in enumerate(_labels(results).items())
        if name in confused["projections"]
    ]


def legend(results: Results) -> list[tuple[Markup, str]]:
    """Each method's line and marker with its label."""
    return [
        (picture(figures.swatch(number)).svg, label)
        for number, label in enumerate(_labels(results).values())
    ]


def _pooled(found: list[Reliability]) -> Reliability:
    """The bins of all runs together: counts add up, means weigh by them."""
    count = [sum(counts) for counts in zip(*(each["count"] for each in found), strict=True)]

    def mean(place: int, key: Literal["confidence", "accuracy"]) -> float:
        weighted: list[float] = [each["count"][place] * each[key][place] for each in found]
        return float(math.fsum(weighted) / max(count[place], 1))

    bins = range(len(count))
    return Reliability(
        count=count,
        confidence=[mean(place, "confidence") for place in bins],
        accuracy=[mean(place, "accuracy") for place in bins],
    )


def _labels(results: Results) -> dict[str, str]:
    return {method["name"]: method["label"] for method in results["methods"]}


def _finished(results: Results) -> list[Run]:
    return [run for run in results["runs"] if run["status"] == "finished"]
