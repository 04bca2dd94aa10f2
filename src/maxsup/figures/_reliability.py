"""Accuracy against confidence."""

import numpy as np

from maxsup.figures._panel import INK, SOFT, method_style, panel


def reliability_figure(
    name: str,
    title: str,
    number: int,
    count: list[int],
    confidence: list[float],
    accuracy: list[float],
) -> str:
    """Draw a reliability diagram: bars of the accuracy in bins of the confidence, and the diagonal.

    Dots on the diagonal mark each bin's mean confidence, so the gap between dot and bar is what the
    calibration error averages; bins with fewer samples are paler.

    Args:
        name: A name that no other picture of the page has.
        title: The method's label.
        number: The method's index in the study, which decides its colour.
        count: Number of samples in each of the equal bins.
        confidence: Mean confidence in each bin.
        accuracy: Accuracy in each bin.

    Returns:
        The picture as SVG.
    """
    counts, means, right = np.array(count), np.array(confidence), np.array(accuracy)
    samples = counts.sum()
    overall = (counts * right).sum() / samples, (counts * means).sum() / samples
    with panel(
        name,
        f"Reliability of {title}: accuracy {100 * overall[0]:.1f} % at a mean confidence of "
        f"{100 * overall[1]:.1f} %.",
        title=title,
        height=260,
    ) as drawn:
        axes = drawn.axes
        colour = method_style(number).colour
        width = 1 / len(counts)
        for index in np.flatnonzero(counts):
            fraction = counts[index] / counts.max()
            axes.bar(
                (index + 0.5) * width,
                right[index],
                width=0.86 * width,
                color=colour,
                alpha=0.25 + 0.65 * fraction,
                edgecolor=colour,
                linewidth=0.8,
            )
            axes.plot(
                means[index], means[index], marker="o", markersize=3.5, color=INK, linestyle=""
            )
        axes.plot([0, 1], [0, 1], color=SOFT, linewidth=1, linestyle=(0, (4, 3)))
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        axes.set_xlabel("confidence")
        axes.set_ylabel("accuracy")
    return drawn.svg
