"""What each method makes of each class, and the images on which methods disagree."""

from typing import NamedTuple

from markupsafe import Markup

from maxsup import figures
from maxsup.report.sections._shared import Picture, StudySection, labels_of, of_class, picture
from maxsup.results import Results
from maxsup.results.schema import PerClass, ShownImage
from maxsup.statistics import (
    Difference,
    bounds_of_difference,
    paired_difference,
    within_bounds,
)

_SIDE_BY_SIDE = 12
"""Classes that a table has columns for."""
_MOST = 10
"""Of more classes, those that gain and that lose most against the baseline."""
_MATRIX_CLASSES = 20
_CONFUSIONS = 5
_IMAGES = 6
"""Images each way."""

_ACCURACY = of_class("class_accuracy", "Accuracy of a class")


class _Cell(NamedTuple):
    """A class with a method."""

    name: str
    images: int
    mean: float | None
    difference: Difference | None
    baseline: float | None


class _Thumbnail(NamedTuple):
    picture: Markup
    words: str


class _Disagreement(NamedTuple):
    """Images that the first method gets right and the second wrong, in all seeds."""

    right: str
    wrong: str
    number: int
    images: list[_Thumbnail]


def _content(results: Results) -> dict[str, object] | None:
    found = results.get("per_class")
    if not found or not found["seeds"]:
        return None
    labels = {name: label for name, label in labels_of(results).items() if name in found["seeds"]}
    classes = results["data"]["classes"]
    return {
        "labels": labels,
        "baseline": labels_of(results)[results["baseline"]],
        "accuracy": _ACCURACY,
        "classes": classes,
        "side_by_side": len(classes) <= _SIDE_BY_SIDE,
        "cells": {name: _cells(results, found, name) for name in labels},
        "others": [name for name in labels if name != results["baseline"]],
        "most": _MOST,
        "confusions": {name: _confusions(found, name, classes)[:_CONFUSIONS] for name in labels},
        "matrices": _matrices(found, labels_of(results), classes),
        "disagreements": _disagreements(results, found, labels),
        "several": max(map(len, found["seeds"].values())) > 1,
        "without": [label for name, label in labels_of(results).items() if name not in labels],
    }


def _cells(results: Results, found: PerClass, method: str) -> list[_Cell]:
    """All classes in their order, or of many those that gain and lose most, the best first."""
    classes, baseline = results["data"]["classes"], results["baseline"]
    images = found["images"]
    own, others = _fractions(found, method), _fractions(found, baseline)
    indices = [index for index, count in enumerate(images) if count]
    if len(classes) > _SIDE_BY_SIDE:
        if method == baseline or baseline not in found["seeds"]:
            return []
        both = [seed for seed in own if seed in others]
        mean = {
            index: sum(own[seed][index] - others[seed][index] for seed in both)
            / (images[index] * max(len(both), 1))
            for index in indices
        }
        indices.sort(key=lambda index: -mean[index])
        if len(indices) > 2 * _MOST:
            indices = [*indices[:_MOST], *indices[-_MOST:]]
    else:
        indices = list(range(len(classes)))
    cells = []
    for index in indices:
        count = images[index]
        mine = {seed: right[index] / count for seed, right in own.items()} if count else {}
        theirs = {seed: right[index] / count for seed, right in others.items()} if count else {}
        cells.append(
            _Cell(
                classes[index],
                count,
                sum(mine.values()) / len(mine) if mine else None,
                None if method == baseline else _difference(mine, theirs),
                sum(theirs.values()) / len(theirs) if theirs else None,
            )
        )
    return cells


def _difference(mine: dict[int, float], theirs: dict[int, float]) -> Difference | None:
    found = paired_difference(mine, theirs)
    return found and within_bounds(found, bounds_of_difference(_ACCURACY["bounds"]))


def _fractions(found: PerClass, method: str) -> dict[int, list[int]]:
    """The right answers of each class, by seed."""
    seeds = found["seeds"].get(method, [])
    return dict(zip(seeds, found["right"].get(method, []), strict=True))


def _confusions(
    found: PerClass, method: str, classes: list[str]
) -> list[tuple[int, int, float, str]]:
    """True class, predicted class, fraction of the true class's images, and all in words."""
    seeds = len(found["seeds"][method])
    rows = []
    for true, predicted, count in found["confused"][method]:
        fraction = count / (seeds * found["images"][true])
        words = f"{classes[true]} taken for {classes[predicted]}: {100 * fraction:.1f} %"
        rows.append((true, predicted, fraction, words))
    # Of few classes by how large a part of the class it is, not by how many images that has.
    return sorted(rows, key=lambda row: -row[2])


def _matrices(found: PerClass, labels: dict[str, str], classes: list[str]) -> list[Picture]:
    if not 2 < len(classes) <= _MATRIX_CLASSES:
        return []
    confusions = {
        name: [row[:3] for row in _confusions(found, name, classes)]
        for name in labels
        if name in found["seeds"]
    }
    top = max((row[2] for rows in confusions.values() for row in rows), default=0.0)
    if not top:
        return []
    return [
        picture(
            figures.confusion_figure(
                f"confusion-{number}", label, number, confusions[name], classes, top
            )
        )
        for number, (name, label) in enumerate(labels.items())
        if name in confusions
    ]


def _disagreements(
    results: Results, found: PerClass, labels: dict[str, str]
) -> list[list[_Disagreement]]:
    """Of each contrast both ways, where there is one such image at least."""
    both = []
    for contrast in results["contrasts"]:
        pair = contrast["method"], contrast["against"]
        if not all(name in labels for name in pair):
            continue
        ways = [
            _Disagreement(
                labels[right],
                labels[wrong],
                found["differing"][right][wrong],
                _thumbnails(results, found["shown"], right, wrong),
            )
            for right, wrong in (pair, pair[::-1])
        ]
        if any(way.number for way in ways):
            both.append(ways)
    return both


def _thumbnails(
    results: Results, shown: list[ShownImage], right: str, wrong: str
) -> list[_Thumbnail]:
    classes, labels = results["data"]["classes"], labels_of(results)
    return [
        _Thumbnail(
            Markup('<img src="{}" alt="Test image {}, {}; {} takes it for {}">').format(
                image["picture"],
                image["id"],
                classes[image["true"]],
                labels[wrong],
                classes[image["wrong"][wrong]],
            ),
            f"{classes[image['true']]}, not {classes[image['wrong'][wrong]]}",
        )
        for image in shown
        if right in image["right"] and wrong in image["wrong"]
    ][:_IMAGES]


CLASSES = StudySection(
    anchor="classes", heading="Classes", title="Class by class", content=_content
)
