"""How fast the singular values of features fall."""

import math
from collections.abc import Mapping

import numpy as np
from matplotlib.ticker import LogLocator, NullFormatter

from maxsup.figures._panel import method_style, panel

_MARKS = 6


def spectrum_figure(
    name: str,
    title: str,
    spectra: Mapping[str, list[list[float]]],
    labels: Mapping[str, str],
    *,
    lowest: float,
) -> str:
    """Draw singular values by their number, each divided by the largest, both axes logarithmic.

    Args:
        name: A name that no other picture of the page has.
        title: What the values are of.
        spectra: For each group, the singular values of each of its models, falling; the geometric
            mean over the models is drawn, as far as none of them is 0.
        labels: The groups' labels by name, in order.
        lowest: Lower end of the axis, such as :func:`lowest_of_spectra` finds for all pictures.

    Returns:
        The picture as SVG.
    """
    with panel(name, _description(title, spectra, labels), title=title) as drawn:
        longest = 1
        for number, group in enumerate(labels):
            means = _mean(spectra.get(group, []))
            if not means:
                continue
            longest = max(longest, len(means))
            style = method_style(number)
            marks = np.unique(np.geomspace(1, len(means), _MARKS).round().astype(int) - 1)
            drawn.axes.plot(
                np.arange(1, len(means) + 1),
                means,
                color=style.colour,
                linestyle=style.dashes,
                linewidth=1.8,
                marker=style.marker,
                markersize=5,
                markevery=marks.tolist(),
            )
        drawn.axes.set_xscale("log")
        drawn.axes.set_yscale("log")
        drawn.axes.set_xlim(0.9, 1.15 * longest)
        drawn.axes.set_ylim(lowest, 1.5)
        for axis in (drawn.axes.xaxis, drawn.axes.yaxis):
            axis.set_major_locator(LogLocator(numticks=5))
            axis.set_minor_formatter(NullFormatter())
        drawn.axes.xaxis.set_major_formatter(lambda value, position: f"{value:,.0f}")
        drawn.axes.yaxis.set_major_formatter(lambda value, position: f"{value:g}")
        drawn.axes.set_xlabel("number of the singular value")
        drawn.axes.set_ylabel("by the largest")
    return drawn.svg


def lowest_of_spectra(spectra: Mapping[str, list[list[float]]]) -> float:
    """A power of ten below all that is drawn, at least 1e-6.

    Example:
        >>> lowest_of_spectra({"a": [[20.0, 3.0, 0.0]], "b": [[5.0, 0.01]]})
        0.001
    """
    smallest = min((min(means) for each in spectra.values() if (means := _mean(each))), default=1.0)
    return 10.0 ** max(-6, math.floor(math.log10(smallest) - 1e-9))


def _mean(models: list[list[float]]) -> list[float]:
    """The geometric mean over models, as far as none of them is 0."""
    length = min((sum(value > 0 for value in each) for each in models), default=0)
    if not length:
        return []
    logs = np.log([np.array(each[:length]) / each[0] for each in models])
    found: list[float] = np.exp(logs.mean(axis=0)).tolist()
    return found


def _description(
    title: str, spectra: Mapping[str, list[list[float]]], labels: Mapping[str, str]
) -> str:
    tenths = {
        label: sum(value > 0.1 for value in _mean(spectra.get(name, [])))
        for name, label in labels.items()
    }
    shown = "; ".join(f"{label} {number}" for label, number in tenths.items() if number)
    return f"Singular values of {title}. Above a tenth of the largest: {shown}."
