"""The page of each study that the findings speak of, from its kept results."""

import gzip
import json
import re
import tempfile
from pathlib import Path

from _pages._files import write_files
from maxsup.inspection import read_inspection
from maxsup.report import render_inspection, render_report
from maxsup.results import read_results

_NAMED = re.compile(r"<!-- numbers: ([^;]+);")


def write(docs: Path) -> None:
    """Write the pages where Sphinx copies them from, and none for a study that is not kept."""
    kept = sorted((docs / "findings" / "results").glob("*.json.gz"))
    pages = {f"{file.name.removesuffix('.json.gz')}.html": _page(file) for file in kept}
    write_files(docs / "generated" / "beside" / "findings" / "pages", pages)


def _page(kept: Path) -> str:
    content = gzip.decompress(kept.read_bytes())
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "kept.json"
        file.write_bytes(content)
        if "models" in json.loads(content):
            return render_inspection(read_inspection(file))
        return render_report(read_results(file))


def links_in(text: str) -> str:
    """A finding's text, with links to its studies' pages below the title."""
    names = dict.fromkeys(name.strip() for name in _NAMED.findall(text))
    if not names:
        return text
    title, _, rest = text.partition("\n")
    links = ", ".join(f'<a href="pages/{name}.html">{name}</a>' for name in names)
    return f"{title}\n\n<p>As maxsup shows it, the page of each study: {links}.</p>\n{rest}"
