"""What is to be known of the paper's tables and figures, from the entries of ``reproduce``."""

from pathlib import Path

from _pages._files import write_files
from maxsup.paper import Entry, all_entries


def write(docs: Path) -> None:
    """Write the remarks, entry by entry."""
    parts = [_part(entry) for entry in all_entries() if entry.remarks]
    write_files(docs / "generated" / "audit", {"remarks.md": "\n".join(parts)})


def _part(entry: Entry) -> str:
    where = " (later version)" if entry.later else ""
    lines = [f"## {entry.title}{where}", "", f"{entry.shows} `maxsup reproduce {entry.name}`", ""]
    for remark in entry.remarks:
        about = ", ".join(f"`{name}`" for name in (*remark.methods, *remark.columns))
        lines.append(f"- {about}{': ' if about else ''}{remark.text}")
    return "\n".join([*lines, ""])
