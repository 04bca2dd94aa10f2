"""What is to be known of the paper's tables and figures, from the entries of ``reproduce``."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from _pages._files import write_files
from maxsup.paper import Entry, Remark, all_entries

_OFTEN = 3
"""In how many entries a remark stands that is shown once for all of them."""


def write(docs: Path) -> None:
    """Write the remarks: first those that concern several entries, then entry by entry."""
    entries = all_entries()
    places: defaultdict[Remark, list[Entry]] = defaultdict(list)
    for entry in entries:
        for remark in entry.remarks:
            places[remark].append(entry)
    often = {remark: found for remark, found in places.items() if len(found) >= _OFTEN}
    lines = ["## In several tables", ""]
    for remark, found in often.items():
        titles = ", ".join(entry.title for entry in found)
        lines.append(f"{_item(remark)} ({titles})")
    for entry in entries:
        own = [remark for remark in entry.remarks if remark not in often]
        if own:
            lines += ["", *_part(entry, own)]
    write_files(docs / "generated" / "audit", {"remarks.md": "\n".join([*lines, ""])})


def _part(entry: Entry, remarks: Sequence[Remark]) -> list[str]:
    where = " (later version)" if entry.later and "later version" not in entry.title else ""
    head = [f"## {entry.title}{where}", "", f"{entry.shows} `maxsup reproduce {entry.name}`", ""]
    return [*head, *map(_item, remarks)]


def _item(remark: Remark) -> str:
    about = ", ".join(f"`{name}`" for name in (*remark.methods, *remark.columns))
    return f"- {about}{': ' if about else ''}{remark.text}"
