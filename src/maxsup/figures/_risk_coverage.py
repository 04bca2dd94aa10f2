"""The error among the most confident samples against how many of them are answered."""

from collections.abc import Mapping

import numpy as np

from maxsup.figures._panel import method_style, panel

_MARKS = 8


def risk_coverage_figure(
    name: str, curves: Mapping[str, list[list[float]]], labels: Mapping[str, str]
) -> str:
    """Draw the mean over seeds with the range from the lowest to the highest seed, for each method.

    Args:
        name: A name that no other picture of the page has.
        curves: For each method, each seed's risks in per cent, at equal steps of the coverage that
            end at 1.
        labels: The methods' labels by name, in order.

    Returns:
        The picture as SVG.
    """
    means = {method: np.mean(seeds, axis=0) for method, seeds in curves.items()}
    half = "; ".join(
        f"{labels[method]} {risks[len(risks) // 2 - 1]:.3g} % of {risks[-1]:.3g} %"
        for method, risks in means.items()
    )
    with panel(
        name,
        f"Risk against coverage. Error among the most confident half, of that among all: {half}.",
        title="Error among those answered, in %",
        height=280,
    ) as drawn:
        for number, method in enumerate(labels):
            if method not in curves:
                continue
            style = method_style(number)
            values = np.array(curves[method])
            steps = values.shape[1]
            coverage = 100 * np.arange(1, steps + 1) / steps
            drawn.axes.plot(
                coverage,
                values.mean(axis=0),
                color=style.colour,
                linestyle=style.dashes,
                linewidth=1.8,
                marker=style.marker,
                markersize=5,
                markevery=_marks(steps),
            )
            if len(values) > 1:
                drawn.axes.fill_between(
                    coverage,
                    values.min(axis=0),
                    values.max(axis=0),
                    color=style.colour,
                    alpha=0.13,
                    linewidth=0,
                )
        drawn.axes.set_xlim(0, 100)
        drawn.axes.set_ylim(bottom=0)
        drawn.axes.set_xlabel("coverage in %, the most confident first")
    return drawn.svg


def _marks(steps: int) -> list[int]:
    """Where the markers stand, the last one at full coverage."""
    return list(range(steps - 1, -1, -max(1, steps // _MARKS)))
