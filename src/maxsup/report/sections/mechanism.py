"""What each method does to the logits in training (MaxSup paper, Corollary 3.4)."""

import math
from typing import NamedTuple

from maxsup import figures
from maxsup.report.sections._shared import (
    Picture,
    StudySection,
    finished_runs,
    labels_of,
    legend_of,
    picture,
)
from maxsup.results import Results


class Curve(NamedTuple):
    """A number that a training notes in each epoch's row of its history."""

    key: str
    """As the row has it."""
    title: str
    caption: str
    """What it says."""
    factor: float = 1.0
    """What it is multiplied by to be shown."""


CURVES = (
    Curve(
        "train_wrong",
        "Wrong in training, %",
        "How many images the model gets wrong while it is trained on them. Where this is next to "
        "nothing, so is what label smoothing and MaxSup differ in.",
        100.0,
    ),
    Curve(
        "train_error_enhancement",
        "Error enhancement, for α = 1",
        "At most 0. Label smoothing is rewarded for the part that lies below 0, which comes from "
        "wrong images alone: there it pushes the true class further down.",
    ),
    Curve(
        "train_regularization",
        "Regularization, for α = 1",
        "How far the true class lies above those below it; what a regulariser is there to keep "
        "small.",
    ),
    Curve(
        "train_logit_gap_wrong",
        "Logit gap where wrong",
        "How far the largest logit lies above that of the true class, z_max − z_gt, over the "
        "images that are wrong.",
    ),
    Curve(
        "train_confidence_wrong",
        "Confidence where wrong, %",
        "How sure the model is of its wrong answers in training.",
        100.0,
    ),
)
"""In the order in which they are drawn."""


def _content(results: Results) -> dict[str, object] | None:
    pictures = [drawn for curve in CURVES for drawn in _draw(results, curve)]
    if not pictures:
        return None
    recipe = results["recipe"]
    return {
        "pictures": pictures,
        "legend": legend_of(results, "mechanism"),
        "is_mixed": bool(recipe.get("mixup") or recipe.get("cutmix")),
    }


def _draw(results: Results, curve: Curve) -> list[Picture]:
    """Draw one of the curves, of the methods whose runs have all recorded it.

    Where no image was wrong there is no such number, and the curve has a gap.
    """
    labels = labels_of(results)
    curves = {}
    for name in labels:
        rows = [run["history"] for run in finished_runs(results, name)]
        if not rows or any("train_wrong" not in row for history in rows for row in history):
            continue
        values = [
            [math.nan if (v := row.get(curve.key)) is None else curve.factor * v for row in history]
            for history in rows
        ]
        if any(math.isfinite(value) for of_run in values for value in of_run):
            curves[name] = values
    if not curves:
        return []
    name = curve.key.replace("_", "-")
    return [picture(figures.curve_figure(name, curve.title, curves, labels), curve.caption)]


MECHANISM = StudySection(
    anchor="mechanism", heading="Mechanism", title="The mechanism in training", content=_content
)
