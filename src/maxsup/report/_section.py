"""One section of a page: a file in ``sections/`` and its template."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from markupsafe import Markup

from maxsup.report._templates import render_template

_Source = TypeVar("_Source", contravariant=True)


class RenderedSection(NamedTuple):
    """A section as the page's shell needs it."""

    anchor: str
    heading: str
    title: str
    body: Markup


@dataclass(frozen=True, kw_only=True)
class Section(Generic[_Source]):
    """A part of a page with a place in its list of contents.

    To add one to the page of a study, write a file like ``sections/logits.py`` with its template
    ``templates/sections/logits.html.j2``, and add its line to ``STUDY_PAGE`` in
    ``sections/__init__.py``.
    """

    anchor: str
    """The section's id on the page, unique there, and the name of its template."""
    heading: str
    """A word or two for the list of contents."""
    title: str
    """The heading above the section."""
    folder: str = "sections"
    """Where its template lies among the templates."""
    content: Callable[[_Source], Mapping[str, object] | None]
    """What the template is given, from what the page is about; none to leave the section out."""

    def render(self, source: _Source) -> RenderedSection | None:
        """The section as HTML; none where it has nothing to show.

        Args:
            source: What the page is about, such as the results of a study.
        """
        content = self.content(source)
        if content is None:
            return None
        body = render_template(f"{self.folder}/{self.anchor}.html.j2", content)
        return RenderedSection(self.anchor, self.heading, self.title, body)
