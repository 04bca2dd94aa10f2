"""How precise class activation maps are, and how much of the objects they hold."""

from collections.abc import Mapping, Sequence

import numpy as np

from maxsup.figures._panel import method_style, panel

_MARKS = 8

Curve = Sequence[float | None]


def precision_recall_figure(
    name: str,
    precision: Mapping[str, Sequence[Curve]],
    recall: Mapping[str, Sequence[Curve]],
    labels: Mapping[str, str],
    chance: float,
) -> str:
    """Draw precision over recall of the pixels on objects, the mean over seeds of each group.

    Args:
        name: A name that no other picture of the page has.
        precision: For each group, each seed's precision by threshold; none where it does not exist.
        recall: Likewise.
        labels: The groups' labels by name, in order.
        chance: The fraction of all pixels that lies on objects, which any map reaches by chance.

    Returns:
        The picture as SVG.
    """
    with panel(
        name,
        f"Precision over recall of the pixels on objects; by chance {chance:.2f}.",
        title="Precision over recall, all thresholds",
        height=280,
    ) as drawn:
        for number, group in enumerate(labels):
            if group in precision:
                _line(drawn.axes, number, _mean(recall[group]), _mean(precision[group]))
        drawn.axes.axhline(chance, color=method_style(0).colour, linewidth=0.8, linestyle=":")
        drawn.axes.set_xlim(0, 1)
        drawn.axes.set_ylim(0, 1)
        drawn.axes.set_xlabel("recall; dotted: by chance")
        drawn.axes.set_ylabel("precision")
    return drawn.svg


def threshold_figure(
    name: str,
    title: str,
    thresholds: Sequence[float],
    curves: Mapping[str, Sequence[Curve]],
    labels: Mapping[str, str],
) -> str:
    """Draw what changes with the threshold of a map, the mean over seeds of each group.

    Args:
        name: A name that no other picture of the page has.
        title: What is drawn.
        thresholds: In [0, 1].
        curves: For each group, each seed's values by threshold; none where one does not exist.
        labels: The groups' labels by name, in order.

    Returns:
        The picture as SVG.
    """
    with panel(
        name, f"{title} against the threshold of maps from 0 to 1.", title=title, height=240
    ) as drawn:
        for number, group in enumerate(labels):
            if group in curves:
                _line(drawn.axes, number, np.array(thresholds), _mean(curves[group]))
        drawn.axes.set_xlim(0, 1)
        drawn.axes.set_ylim(0, 1)
        drawn.axes.set_xlabel("threshold")
    return drawn.svg


def _mean(curves: Sequence[Curve]) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    """Over seeds, NaN where one of them has no value."""
    values = np.array([[np.nan if each is None else each for each in curve] for curve in curves])
    mean: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = values.mean(axis=0)
    return mean


def _line(axes: object, number: int, x: object, y: object) -> None:
    style = method_style(number)
    axes.plot(  # type: ignore[attr-defined]
        x,
        y,
        color=style.colour,
        linestyle=style.dashes,
        linewidth=1.8,
        marker=style.marker,
        markersize=5,
        markevery=max(1, len(x) // _MARKS),  # type: ignore[arg-type]
    )
