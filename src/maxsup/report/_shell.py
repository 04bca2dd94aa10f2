"""The page around its sections: one file without script that needs nothing else."""

from collections.abc import Sequence
from importlib import resources

from markupsafe import Markup

from maxsup.report._section import RenderedSection
from maxsup.report._templates import render_template


def render_shell(
    *, title: str, header: Markup, sections: Sequence[RenderedSection], footer: str
) -> str:
    """A page as HTML; its list of contents follows from the sections.

    Args:
        title: The title of the browser's window.
        header: What stands above the list of contents.
        sections: One or more sections, in the order of the page.
        footer: The last line.
    """
    style = (resources.files("maxsup.report") / "templates" / "page.css").read_text("utf-8")
    return render_template(
        "shell.html.j2",
        {
            "title": title,
            "style": Markup(style),
            "header": header,
            "sections": sections,
            "footer": footer,
        },
    )
