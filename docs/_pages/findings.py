"""The page of each study that the findings speak of, from its kept results."""

import gzip
import json
import re
import tempfile
from pathlib import Path

from maxsup.inspection import read_inspection
from maxsup.report import write_inspection_page, write_report
from maxsup.results import read_results

_NAMED = re.compile(r"<!-- numbers: ([^;]+);")


def write(docs: Path) -> None:
    """Write the pages where Sphinx copies them from; one newer than its study stays."""
    pages = docs / "generated" / "beside" / "findings" / "pages"
    pages.mkdir(parents=True, exist_ok=True)
    for kept in sorted((docs / "findings" / "results").glob("*.json.gz")):
        name = kept.name.removesuffix(".json.gz")
        page = pages / f"{name}.html"
        if page.exists() and page.stat().st_mtime > kept.stat().st_mtime:
            continue
        content = gzip.decompress(kept.read_bytes())
        with tempfile.TemporaryDirectory() as directory:
            file = Path(directory) / "kept.json"
            file.write_bytes(content)
            if "models" in json.loads(content):
                write_inspection_page(read_inspection(file), page)
            else:
                write_report(read_results(file), page)


def links_in(text: str) -> str:
    """A finding's text, with links to its studies' pages below the title."""
    names = dict.fromkeys(name.strip() for name in _NAMED.findall(text))
    if not names:
        return text
    title, _, rest = text.partition("\n")
    links = ", ".join(f'<a href="pages/{name}.html">{name}</a>' for name in names)
    return f"{title}\n\n<p>As maxsup shows it, the page of each study: {links}.</p>\n{rest}"
