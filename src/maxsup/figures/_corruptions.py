"""Errors under corruption."""

from collections.abc import Mapping, Sequence

from maxsup.figures._panel import method_style, panel

_ROW = 17
"""Height of a row in CSS pixels."""


def severity_figure(
    name: str, errors: Mapping[str, Sequence[float]], labels: Mapping[str, str]
) -> str:
    """Draw the error against the severity, a line for each method.

    Args:
        name: A name that no other picture of the page has.
        errors: For each method the errors in per cent at severities 0, of clean images, to 5.
        labels: The methods' labels by name, in order.

    Returns:
        The picture as SVG.
    """
    said = "; ".join(
        f"{labels[method]} from {of[0]:.1f} % to {of[-1]:.1f} %" for method, of in errors.items()
    )
    with panel(
        name,
        f"Error against the severity of corruption: {said}.",
        title="Error in %, mean over kinds",
        height=280,
    ) as drawn:
        for number, method in enumerate(labels):
            if method not in errors:
                continue
            style = method_style(number)
            drawn.axes.plot(
                range(len(errors[method])),
                errors[method],
                color=style.colour,
                linestyle=style.dashes,
                marker=style.marker,
                markersize=5,
                linewidth=1.8,
            )
        drawn.axes.set_ylim(bottom=0)
        drawn.axes.set_xlabel("severity (0: clean)")
    return drawn.svg


def corruption_kinds_figure(
    name: str,
    errors: Mapping[str, Sequence[float]],
    kinds: Sequence[str],
    labels: Mapping[str, str],
) -> str:
    """Draw the error of each kind of corruption, a mark for each method in a row for each kind.

    Args:
        name: A name that no other picture of the page has.
        errors: For each method the errors in per cent, in the order of ``kinds``.
        kinds: The names of the corruptions.
        labels: The methods' labels by name, in order.

    Returns:
        The picture as SVG.
    """
    with panel(
        name,
        f"Error for each of {len(kinds)} kinds of corruption, mean over severities.",
        title="Error in %, by kind",
        height=90 + _ROW * len(kinds),
    ) as drawn:
        for number, method in enumerate(labels):
            if method not in errors:
                continue
            style = method_style(number)
            drawn.axes.plot(
                errors[method],
                range(len(kinds)),
                color=style.colour,
                marker=style.marker,
                markersize=6,
                linestyle="",
                alpha=0.85,
            )
        drawn.axes.set_yticks(range(len(kinds)), [kind.replace("_", " ") for kind in kinds])
        drawn.axes.set_ylim(len(kinds) - 0.5, -0.5)
        drawn.axes.set_xlim(left=0)
        drawn.axes.set_xlabel("error in %")
    return drawn.svg
