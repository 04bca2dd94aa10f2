"""The page around its sections: one file that needs nothing else, its one script least."""

import base64
import hashlib
from collections.abc import Sequence
from importlib import resources

from markupsafe import Markup

from maxsup.report._section import RenderedSection
from maxsup.report._templates import render_template


def render_shell(
    *,
    title: str,
    header: Markup,
    sections: Sequence[RenderedSection],
    footer: str,
    below: Markup | None = None,
) -> str:
    """A page as HTML; its list of contents follows from the sections.

    Args:
        title: The title of the browser's window.
        header: What stands above the list of contents.
        sections: One or more sections, in the order of the page.
        footer: The last line.
        below: What stands behind it and is not seen until it is asked for.
    """
    templates = resources.files("maxsup.report") / "templates"
    script = (templates / "page.js").read_text("utf-8")
    return render_template(
        "shell.html.j2",
        {
            "title": title,
            "style": Markup((templates / "page.css").read_text("utf-8")),
            "script": Markup(script),
            "script_hash": _hash(script),
            "header": header,
            "sections": sections,
            "footer": footer,
            "below": below or Markup(),
        },
    )


def _hash(script: str) -> str:
    """The source of a script as a Content-Security-Policy names it: no other one is run."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
