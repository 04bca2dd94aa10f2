"""How a figure of the training runs over the epochs."""

from collections.abc import Mapping

import numpy as np
from matplotlib.ticker import MaxNLocator

from maxsup.figures._panel import method_style, panel

_MARKS = 8


def curve_figure(
    name: str, title: str, curves: Mapping[str, list[list[float]]], labels: Mapping[str, str]
) -> str:
    """Draw the mean over seeds with the range from the lowest to the highest seed, for each method.

    Args:
        name: A name that no other picture of the page has.
        title: The quantity that is drawn, with its unit.
        curves: For each method, each seed's values, one an epoch, from the first on; NaN where
            there is none, and then the mean is over the seeds that have one.
        labels: The methods' labels by name, in order.

    Returns:
        The picture as SVG.
    """
    of_method = {method: np.ma.masked_invalid(np.array(seeds)) for method, seeds in curves.items()}
    last = {labels[method]: values[:, -1].mean() for method, values in of_method.items()}
    shown = "; ".join(
        f"{label} {value:.3g}" for label, value in last.items() if value is not np.ma.masked
    )
    with panel(
        name, f"{title} over the epochs. At the end: {shown or 'none'}.", title=title
    ) as drawn:
        for number, method in enumerate(labels):
            if method not in curves:
                continue
            style = method_style(number)
            values = of_method[method]
            epochs = np.arange(1, values.shape[1] + 1)
            drawn.axes.plot(
                epochs,
                values.mean(axis=0),
                color=style.colour,
                linestyle=style.dashes,
                linewidth=1.8,
                marker=style.marker,
                markersize=5,
                markevery=max(1, len(epochs) // _MARKS),
            )
            if len(values) > 1:
                drawn.axes.fill_between(
                    epochs,
                    values.min(axis=0),
                    values.max(axis=0),
                    color=style.colour,
                    alpha=0.13,
                    linewidth=0,
                )
        drawn.axes.set_xlabel("epoch")
        drawn.axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    return drawn.svg
