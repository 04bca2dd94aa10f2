"""One small picture: a matplotlib figure that becomes an SVG in the page's own colours."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from maxsup.figures._text import in_lines, missing_glyphs, one_line

WIDTH = 300
"""Width of a panel in CSS pixels; it is laid out in columns, never shrunk to fit."""

_TITLE = 34
"""Characters of a title that fit on a line."""
_LINE = 15
"""Height of a line of it, in CSS pixels."""

# Colours that stand for the page's CSS variables, which follow light and dark.
INK = "#010101"
SOFT = "#010102"
GRID = "#010103"
PAPER = "#010104"
_COLOURS = 8
_METHODS = [f"#0102{number:02x}" for number in range(_COLOURS)]
_VARIABLES = {
    INK: "var(--ink)",
    SOFT: "var(--soft)",
    GRID: "var(--line)",
    PAPER: "var(--paper)",
    **{colour: f"var(--m{number})" for number, colour in enumerate(_METHODS)},
}
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p")
_DASHES = ((0, ()), (0, (5, 1.5)), (0, (1.5, 1.5)), (0, (6, 1.5, 1.5, 1.5)))

_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "maxsup",
    "font.family": "DejaVu Sans",  # measured with this one; the page shows its own
    "font.size": 11,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.labelsize": 11,
    "axes.titlesize": 12,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "text.parse_math": False,
}


@dataclass(frozen=True)
class MethodStyle:
    """How a method is drawn: never by colour alone."""

    colour: str
    marker: str
    dashes: tuple[int, tuple[float, ...]]


def method_style(number: int) -> MethodStyle:
    """The style of the study's n-th method, the baseline being the 0th.

    Colour and marker repeat after eight methods, with another dash.
    """
    return MethodStyle(
        _METHODS[number % _COLOURS],
        _MARKERS[number % len(_MARKERS)],
        _DASHES[(number + number // _COLOURS) % len(_DASHES)],
    )


@dataclass
class Panel:
    """A picture under construction; ``svg`` holds it once the :func:`panel` block ends."""

    axes: Axes
    figure: Figure
    svg: str = field(default="")


@contextmanager
def panel(name: str, description: str, *, height: int = 240, title: str = "") -> Iterator[Panel]:
    """Draw a panel.

    Args:
        name: A name that no other picture of the page has; it stands before every id in the SVG.
        description: What is to be seen, for those who do not see it.
        height: Height in CSS pixels; each further line of the title adds to it.
        title: Title above the axes.

    Yields:
        The panel with its axes.
    """
    # The page shows the text in fonts of the reader's.
    with matplotlib.rc_context(_STYLE), missing_glyphs(are_replaced=True):
        heading = in_lines(title, _TITLE)
        # The axes stay as high as they are below one line.
        height += _LINE * heading.count("\n")
        figure = Figure(figsize=(WIDTH / 72, height / 72), dpi=72, layout="constrained")
        drawn = Panel(figure.add_subplot(), figure)
        if title:
            drawn.axes.set_title(heading)
        yield drawn
        figure.patch.set_alpha(0)
        drawn.axes.patch.set_alpha(0)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    drawn.svg = _for_page(buffer.getvalue(), name, description, height)


def swatch(number: int, legend: str) -> str:
    """A small SVG of a method's line and marker, for a legend.

    Args:
        number: The method's index in the study.
        legend: A name that no other legend of the page has.
    """
    style = method_style(number)
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(36 / 72, 14 / 72), dpi=72)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.axis("off")
        axes.plot([0, 1, 2], [0, 0, 0], color=style.colour, linestyle=style.dashes, linewidth=2)
        axes.plot([1], [0], color=style.colour, marker=style.marker, markersize=7)
        figure.patch.set_alpha(0)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    svg = _for_page(buffer.getvalue(), f"{legend}-swatch{number}", "", 14)
    return svg.replace('role="img"', 'aria-hidden="true"').replace(' aria-label=""', "")


def _for_page(svg: str, name: str, description: str, height: int) -> str:
    """An SVG document as a part of an HTML page: own ids, the page's colours and font."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    # In tags alone: between them stands what the user calls things, with < escaped.
    svg = re.sub(r"<[^>]*>", lambda tag: _tag_for_page(tag[0], name), svg)
    box = re.search(r'viewBox="([^"]*)"', svg)
    assert box is not None
    opening = (
        f'<svg role="img" aria-label="{escape(one_line(description))}" viewBox="{box[1]}" '
        'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
    )
    return opening + svg[svg.index(">") + 1 :].strip()


def _tag_for_page(tag: str, name: str) -> str:
    tag = re.sub(r'\bid="', f'id="{name}-', tag)
    tag = re.sub(r"url\(#", f"url(#{name}-", tag)
    tag = re.sub(r'href="#', f'href="#{name}-', tag)
    tag = re.sub(r"'DejaVu Sans'[^;\"]*", "var(--font)", tag)
    for colour, variable in _VARIABLES.items():
        tag = tag.replace(colour, variable)
    return tag
