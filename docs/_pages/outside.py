"""Links to files beside ``docs/``, which the repository shows and the site has as pages."""

import re
from pathlib import Path

from sphinx.application import Sphinx

_PAGES = {
    "README.md": "/index.md",
    "docs/findings/README.md": "/findings/index.md",
    "CONTRIBUTING.md": "/about/contributing.md",
    "CHANGELOG.md": "/about/changelog.md",
    "CITATION.cff": "/about/citing.md",
    "benchmarks/RESULTS.md": "/about/benchmarks.md",
}
_LINK = re.compile(r"\]\((?P<path>[^)#\s:]+)(?P<anchor>#[^)\s]*)?\)")


def relink(app: Sphinx, name: str, source: list[str]) -> None:
    """Lead the links of a page to where the site has what they mean."""
    place = Path(app.env.doc2path(name)).parent
    source[0] = _relinked(app, place, source[0])


def relink_included(app: Sphinx, path: Path, parent: str, source: list[str]) -> None:
    """Likewise of a text that a page includes, whose links are relative to itself."""
    place = (Path(app.srcdir) / path).resolve().parent
    source[0] = _relinked(app, place, source[0])


def _relinked(app: Sphinx, place: Path, text: str) -> str:
    docs = Path(app.srcdir).resolve()
    root = docs.parent

    def lead(found: re.Match[str]) -> str:
        target = (place / found["path"]).resolve()
        if not target.is_relative_to(root):
            return found[0]
        inside = target.relative_to(root).as_posix()
        anchor = found["anchor"] or ""
        if inside in _PAGES:
            return f"]({_PAGES[inside]}{anchor})"
        if target.is_relative_to(docs) and not place.is_relative_to(docs):
            return f"](/{target.relative_to(docs).as_posix()}{anchor})"
        return found[0]

    return _LINK.sub(lead, text)
