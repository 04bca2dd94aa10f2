"""Accuracy and losses over the epochs."""

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


class _Curve(NamedTuple):
    key: str
    title: str
    factor: float = 1.0


_CURVES = (
    _Curve("test_mean_iou", "Test mean IoU in %", 100.0),
    _Curve("test_accuracy", "Test accuracy in %", 100.0),
    _Curve("train_accuracy", "Training accuracy in %", 100.0),
    _Curve("test_nll", "Test NLL"),
    _Curve("train_loss", "Training loss"),
)


def _content(results: Results) -> dict[str, object] | None:
    pictures = [drawn for curve in _CURVES for drawn in _draw(results, curve)]
    if not pictures:
        return None
    return {"pictures": pictures, "legend": legend_of(results, "curves")}


def _draw(results: Results, curve: _Curve) -> list[Picture]:
    """Draw one of the curves, unless no method has the whole of it."""
    labels = labels_of(results)
    epochs = _epochs(results)
    curves = {
        name: [
            [
                curve.factor * value
                for row in run["history"]
                if (value := row.get(curve.key)) is not None
            ]
            for run in finished_runs(results, name)
        ]
        for name in labels
    }
    complete = {
        name: runs
        for name, runs in curves.items()
        if runs and all(len(values) == (epochs or len(runs[0]) or 1) for values in runs)
    }
    if not complete:
        return []
    name = curve.key.replace("_", "-")
    window, outside = figures.curve_window(complete)
    svg = figures.curve_figure(name, curve.title, complete, labels, window=window)
    beyond = "; ".join(labels[method] for method in outside)
    return [picture(svg, f"Outside of it: {beyond}." if beyond else "")]


def _epochs(results: Results) -> int | None:
    """How many a whole run has; none where another program trained, as it alone knows."""
    epochs = results["recipe"].get("epochs")
    return None if epochs is None else int(str(epochs))


CURVES = StudySection(anchor="curves", heading="Curves", title="Training curves", content=_content)
