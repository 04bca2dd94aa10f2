"""Check a site that is built, without a network: ``python docs/_pages/check.py site``.

Every internal link leads to a page, and to a place on it, that is there; no page loads anything
from another host; every image has a text, every page one heading of the first level and a title,
and there is an index to search in. Links to other hosts are allowed, and ``--outside`` lists them.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

# Attributes that make a browser load what they name, by tag.
_LOADED = {
    "audio": ("src",),
    "embed": ("src",),
    "iframe": ("src",),
    "image": ("href", "xlink:href"),
    "img": ("src", "srcset"),
    "input": ("src",),
    "object": ("data",),
    "script": ("src",),
    "source": ("src", "srcset"),
    "track": ("src",),
    "use": ("href", "xlink:href"),
    "video": ("src", "poster"),
}
# Of <link>, those that name another page and load nothing.
_NAMING = {"author", "canonical", "help", "index", "license", "next", "prev", "search", "alternate"}
_IN_STYLES = re.compile(r"""url\(\s*['"]?(?P<url>[^'")]+)|@import\s+['"](?P<import>[^'"]+)""")
_OUTSIDE = {"http", "https", "ftp", ""}


class _Link(NamedTuple):
    line: int
    url: str
    is_loaded: bool
    """Whether the browser fetches it by itself."""


class _Page(HTMLParser):
    """What of a page is checked."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[_Link] = []
        self.headings = 0
        self.without_text: list[tuple[int, str]] = []
        self.twice: list[tuple[int, str]] = []
        self.title = ""
        self._inside: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note links, names and texts of a tag."""
        values = {name: value or "" for name, value in attrs}
        line = self.getpos()[0]
        for name in (values.get("id"), values.get("name") if tag == "a" else None):
            if name and name in self.ids and name == values.get("id"):
                self.twice.append((line, name))
            if name:
                self.ids.add(name)
        if tag in ("title", "style", "svg"):
            self._inside.append(tag)
        if tag == "h1":
            self.headings += 1
        if tag == "img" and not values.get("alt", "").strip() and not _is_decoration(values):
            self.without_text.append((line, values.get("src", "")))
        self.links += [_Link(line, *each) for each in _links(tag, values)]

    def handle_endtag(self, tag: str) -> None:
        """Leave a title, a style sheet or a picture."""
        if self._inside and tag == self._inside[-1]:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        """Take the title, and what a style sheet within the page loads."""
        if self._inside == ["title"]:  # a picture has a title of its own
            self.title += data
        if self._inside[-1:] == ["style"]:
            line = self.getpos()[0]
            self.links += [_Link(line, url, True) for url in _loaded_by_style(data)]


def _links(tag: str, values: dict[str, str]) -> Iterator[tuple[str, bool]]:
    if tag in ("a", "area") and "href" in values:
        yield values["href"], False
    if tag == "form" and values.get("action"):
        yield values["action"], False
    if tag == "link" and "href" in values:
        is_naming = {*values.get("rel", "").lower().split()} & _NAMING
        yield values["href"], not is_naming
    for name in _LOADED.get(tag, ()):
        if name == "srcset":
            for each in values.get(name, "").split(","):
                if each.strip() and not each.strip().startswith("data:"):
                    yield each.split()[0], True
        elif values.get(name):
            yield values[name], True
    for url in _loaded_by_style(values.get("style", "")):
        yield url, True


def _loaded_by_style(text: str) -> list[str]:
    return [found["url"] or found["import"] for found in _IN_STYLES.finditer(text)]


def _is_decoration(values: dict[str, str]) -> bool:
    return values.get("aria-hidden") == "true" or values.get("role") == "presentation"


def check(site: Path) -> tuple[list[str], list[str]]:
    """What is wrong with a site, in sentences, and the links to other hosts.

    Raises:
        ValueError: There is no site.
    """
    pages = {
        path: _Page(path.read_text(encoding="utf-8"))
        for path in sorted(site.rglob("*.html"))
        if "_static" not in path.relative_to(site).parts
    }
    if not pages:
        raise ValueError(f"{site} holds no page. Build it first: sphinx-build -b html docs {site}.")
    wrong, outside = [], set()
    for path, page in pages.items():
        name = path.relative_to(site).as_posix()
        if page.headings != 1:
            wrong.append(f"{name}: {page.headings} headings of the first level, not one")
        if not page.title.strip():
            wrong.append(f"{name}: no title")
        wrong += [
            f"{name}:{line}: an image without a text: {src}" for line, src in page.without_text
        ]
        wrong += [
            f"{name}:{line}: a second element with the id {each}" for line, each in page.twice
        ]
        for link in page.links:
            parts = urlsplit(link.url)
            if parts.scheme or parts.netloc:
                if parts.scheme in _OUTSIDE and link.is_loaded:
                    wrong.append(f"{name}:{link.line}: is loaded from another host: {link.url}")
                elif parts.scheme in _OUTSIDE:
                    outside.add(link.url)
                continue
            problem = _problem(site, path, link.url, pages)
            if problem:
                wrong.append(f"{name}:{link.line}: {problem}: {link.url}")
    for path in sorted(site.rglob("*.css")):
        wrong += _wrong_in_style(site, path)
    index = site / "searchindex.js"
    if not index.exists() or not index.read_text(encoding="utf-8").startswith("Search.setIndex("):
        wrong.append("searchindex.js: there is no index to search in")
    return wrong, sorted(outside)


def _problem(site: Path, page: Path, url: str, pages: dict[Path, _Page]) -> str:
    """What is wrong with an internal link; nothing where it leads somewhere."""
    parts = urlsplit(url)
    target = page
    if parts.path:
        if parts.path.startswith("/"):
            return "a link that needs the site to be at the root of its host"
        target = (page.parent / unquote(parts.path)).resolve()
        if target.is_dir():
            target /= "index.html"
        if not target.is_relative_to(site.resolve()):
            return "a link out of the site"
        if not target.exists():
            return "a link to nothing"
    place = unquote(parts.fragment)
    # The empty place and "top" are the page's beginning.
    if place in ("", "top") or target not in pages:
        return ""
    return "" if place in pages[target].ids else "a link to no place on its page"


def _wrong_in_style(site: Path, path: Path) -> list[str]:
    wrong = []
    name = path.relative_to(site).as_posix()
    text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    for url in _loaded_by_style(text):
        parts = urlsplit(url)
        if parts.scheme == "data" or url.startswith("#"):
            continue
        if parts.scheme or parts.netloc:
            wrong.append(f"{name}: is loaded from another host: {url}")
        elif not (path.parent / unquote(parts.path)).exists():
            wrong.append(f"{name}: is loaded and not there: {url}")
    return wrong


def main() -> int:
    """Check the site that is named; 1 where something is wrong."""
    parser = argparse.ArgumentParser(description="Check a site that is built, without a network.")
    parser.add_argument("site", type=Path, help="directory with the pages")
    parser.add_argument("--outside", action="store_true", help="list the links to other hosts")
    options = parser.parse_args()
    try:
        wrong, outside = check(options.site.resolve())
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    if options.outside:
        print("\n".join(outside))
    for each in wrong:
        print(each, file=sys.stderr)
    count = "nothing is" if not wrong else f"{len(wrong)} things are"
    print(f"{options.site}: {count} wrong; {len(outside)} links to other hosts.", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
