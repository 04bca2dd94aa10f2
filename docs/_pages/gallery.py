"""What the gallery's scripts draw, as parts of its pages.

A script gives what it draws a name, and that is all: after each of its blocks, every picture that
has a new name is shown there. A list is shown side by side, a dictionary with its keys as
captions. Pictures are SVG as ``maxsup.figures`` makes it, in the colours of the page, light or
dark; figures of matplotlib, which are made such SVG; and the bytes of a PNG or JPEG file.
"""

import base64
import functools
import io
import re
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
from matplotlib.figure import Figure
from rich.console import Console
from sphinx.application import Sphinx

import maxsup.inspection
import maxsup.study
from _pages._files import write_files
from maxsup import figures, report

SETTINGS = {
    "examples_dirs": "gallery",
    "gallery_dirs": "gallery/made",
    "image_scrapers": ("_pages.gallery.scrape",),
    "reset_modules": ("_pages.gallery.reset",),
    # What a script prints is shown; what it computes on the way is not.
    "capture_repr": (),
    "backreferences_dir": "gallery/made/backreferences",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_signature": False,
    # The pictures are text, which a notebook would not show.
    "notebook_extensions": set(),
    # How long it took is another number at each build.
    "min_reported_time": 3_600,
    "write_computation_times": False,
    "thumbnail_size": (400, 320),
}

# Colours of matplotlib's own, as variables of the page.
_COLOURS = {
    "#000000": "var(--ink)",
    "#ffffff": "var(--paper)",
    "#b0b0b0": "var(--line)",
    "#1f77b4": "var(--m1)",
    "#ff7f0e": "var(--m2)",
    "#2ca02c": "var(--m3)",
    "#d62728": "var(--m7)",
}
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "maxsup",
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
_SCALE = 1.15
"""How much larger than they are drawn pictures are shown, where there is room."""
_WIDEST = 700
"""Pixels beyond which a picture scrolls by itself."""


def write(docs: Path) -> None:
    """Check that every figure has a script, and write the colours of figures.

    Raises:
        ValueError: A public name of ``maxsup.figures`` is in no script.
    """
    scripts = [path.read_text(encoding="utf-8") for path in (docs / "gallery").glob("plot_*.py")]
    missing = [
        name
        for name in figures.__all__
        if not any(re.search(rf"\b{name}\b", script) for script in scripts)
    ]
    if missing:
        raise ValueError(
            "Every figure of maxsup.figures must be drawn by a script of docs/gallery/; none draws "
            f"{', '.join(missing)}."
        )
    light, dark = _palettes()
    style = (
        f".maxsup-figures {{{light}}}\n"
        f'html[data-theme="dark"] .maxsup-figures {{{dark}}}\n'
        ".maxsup-figures { --font: var(--pst-font-family-base); }\n"
    )
    write_files(docs / "generated" / "static", {"figures.css": style})


def setup(app: Sphinx) -> None:
    """Give small pictures that lead to a script its title as their text."""
    app.connect("doctree-read", _name_thumbnails)


def _name_thumbnails(app: Sphinx, doctree: Any) -> None:
    from docutils import nodes

    for image in doctree.findall(nodes.image):
        if "sphx_glr_" in image["uri"] and not image.get("alt"):
            image["alt"] = Path(image["uri"]).stem.split("plot_")[-1].replace("_", " ")


def reset(settings: dict[str, Any], script: str) -> None:
    """Forget the pictures of the script before, and see to it that studies are made once."""
    _shown.clear()
    for module, name in ((maxsup.study, "compare"), (maxsup.inspection, "inspect")):
        function = getattr(module, name)
        if not hasattr(function, "is_kept"):
            setattr(module, name, _kept(function))


_shown: set[int] = set()


def _kept(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that is not called a second time with what it was called with before.

    Scripts begin with the same study, to be whole by themselves; a call that finds it on disk
    still takes seconds.
    """
    found: dict[str, Any] = {}

    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        key = repr((args, options))
        if key not in found:
            if function.__name__ == "compare":
                options["console"] = Console(quiet=True)
            found[key] = function(*args, **options)
        return found[key]

    call.is_kept = True  # type: ignore[attr-defined]
    return call


class _Picture(NamedTuple):
    content: str
    """HTML."""
    caption: str
    width: float
    is_legend: bool = False


def scrape(block: tuple[Any, ...], variables: dict[str, Any], settings: dict[str, Any]) -> str:
    """The pictures that have a new name since the last block, as reStructuredText."""
    parts = []
    named = [
        (name, value)
        for name, value in variables["example_globals"].items()
        if not name.startswith("_") and _is_picture(value)
    ]
    # A picture of a list or a dictionary is not shown again for a name of its own.
    inside = {id(each) for _, value in named if not _is_single(value) for each in _singles(value)}
    for name, value in named:
        if id(value) in _shown | inside:
            continue
        # Kept alive by its name, so that no other value can have its id.
        _shown.update([id(value), *(id(each) for each in _singles(value))])
        prefix = f"{Path(variables['src_file']).stem}-{name}".replace("_", "-")
        drawn = list(_pictures(value, prefix))
        if not drawn[0].is_legend:
            _keep_thumbnail(value, variables["image_path_iterator"])
        parts.append(_as_html(drawn))
    if not parts:
        return ""
    lines = "\n".join(parts).splitlines()
    return "\n\n.. raw:: html\n\n" + "\n".join(f"    {line}" for line in lines) + "\n\n"


def _is_picture(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return bool(value) and all(_is_single(each) for each in value)
    if isinstance(value, dict):
        return bool(value) and all(_is_single(each) for each in value.values())
    return _is_single(value)


def _is_single(value: object) -> bool:
    if isinstance(value, bytes):
        return value.startswith((b"\x89PNG", b"\xff\xd8"))
    return isinstance(value, Figure) or (isinstance(value, str) and value.startswith("<svg "))


def _singles(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _pictures(value: Any, prefix: str) -> Iterator[_Picture]:
    singles = _singles(value)
    captions = [*value] if isinstance(value, dict) else [""] * len(singles)
    for number, (single, caption) in enumerate(zip(singles, captions, strict=True)):
        if isinstance(single, bytes):
            yield _of_bytes(single, caption)
            continue
        svg = _drawn(single, f"{prefix}-{number}") if isinstance(single, Figure) else single
        is_legend = 'aria-hidden="true"' in svg[: svg.index(">")]
        yield _Picture(svg, caption, _SCALE * _width(svg), is_legend)


def _width(svg: str) -> float:
    found = re.search(r'viewBox="0 0 ([\d.]+)', svg)
    assert found is not None
    return float(found[1])


def _of_bytes(content: bytes, caption: str) -> _Picture:
    from PIL import Image

    if not caption:
        raise ValueError("A picture of bytes needs a text: put it into a dictionary, by that text.")
    with Image.open(io.BytesIO(content)) as opened:
        width, kind = opened.width, str(opened.format).lower()
    data = base64.b64encode(content).decode()
    image = f'<img src="data:image/{kind};base64,{data}" alt="{escape(caption)}">'
    if width > _WIDEST:
        image = (
            f'<div class="maxsup-wide" tabindex="0" role="region" aria-label="{escape(caption)}">'
            f"{image}</div>"
        )
    return _Picture(image, caption, width)


def _drawn(figure: Figure, prefix: str) -> str:
    """A figure of matplotlib as SVG in the colours of the page.

    Raises:
        ValueError: It does not say in words what is to be seen.
    """
    description = figure.get_label()
    if not description:
        raise ValueError(
            "A figure must say in words what is to be seen, for those who do not see it: "
            "figure.set_label(...)."
        )
    buffer = io.StringIO()
    with matplotlib.rc_context(_STYLE):
        figure.patch.set_alpha(0)
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r"\bid=\"", f'id="{prefix}-', svg)
    svg = re.sub(r"url\(#", f"url(#{prefix}-", svg)
    svg = re.sub(r"href=\"#", f'href="#{prefix}-', svg)
    svg = re.sub(r"'DejaVu Sans'[^;\"]*", "var(--font)", svg)
    for colour, variable in _COLOURS.items():
        svg = svg.replace(colour, variable)
    box = re.search(r'viewBox="([^"]*)"', svg)
    assert box is not None
    opening = f'<svg role="img" aria-label="{escape(description)}" viewBox="{box[1]}">'
    return opening + svg[svg.index(">") + 1 :].strip()


def _as_html(drawn: list[_Picture]) -> str:
    if drawn[0].is_legend:
        entries = "".join(f"<li>{each.content} {escape(each.caption)}</li>" for each in drawn)
        return f'<ul class="maxsup-figures maxsup-legend">{entries}</ul>'
    parts = []
    for each in drawn:
        caption = f"<figcaption>{escape(each.caption)}</figcaption>" if each.caption else ""
        width = f"{min(each.width, _WIDEST):.0f}px"
        parts.append(f'<figure style="max-width: {width}">{each.content}{caption}</figure>')
    return f'<div class="maxsup-figures">{"".join(parts)}</div>'


def _keep_thumbnail(value: Any, places: Iterator[str]) -> None:
    """A file of the first picture, which leads to the script; in light colours, on white."""
    single = _singles(value)[0]
    place = Path(next(places))
    if isinstance(single, bytes):
        place.write_bytes(single)
        return
    svg = _drawn(single, "thumbnail") if isinstance(single, Figure) else single
    for variable, colour in re.findall(r"(--\w+):\s*([^;]+)", _palettes()[0]):
        svg = svg.replace(f"var({variable})", colour.strip().replace('"', "'"))
    svg = svg.replace("var(--font)", "sans-serif")
    xmlns = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    if "xmlns=" not in svg[: svg.index(">")]:
        svg = svg.replace("<svg ", f"<svg {xmlns} ", 1)
    place.with_suffix(".svg").write_text(svg, encoding="utf-8")


@functools.cache
def _palettes() -> tuple[str, str]:
    """The colours of the report's pages, light and dark, as style sheets have them."""
    page = Path(str(report.__file__)).parent / "templates" / "page.css"
    blocks = re.findall(r":root\s*{([^}]*)}", page.read_text(encoding="utf-8"))
    light, dark = ("; ".join(re.findall(r"--(?!font|mono)\w+:[^;]+", each)) for each in blocks[:2])
    return f" {light}; ", f" {dark}; "
