"""What each measure is, from the registries that results and inspections are described by.

A page of ``docs/measures/`` names the measures that it is about in a block ``{measures}``, and the
names, definitions, units and directions are put there. That every measure of the registries stands
on exactly one page is checked at each build.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from _pages._files import write_files
from maxsup.evaluation import measure_facts, segmentation_facts
from maxsup.inspection import ANALYSES, MEASURES, InspectionSettings
from maxsup.report.sections.mechanism import CURVES
from maxsup.results.schema import MeasureFacts

_BLOCK = re.compile(r"^```\{measures\}\n(?P<names>.*?)^```$", re.MULTILINE | re.DOTALL)
_ENTRIES = "entries.txt"
_OPTION = re.compile(r"(--[a-z-]+)")
# What other data is called is for the user to say.
_SETTINGS = InspectionSettings(ood_data=("DATA",), transfer_data=("DATA",))


@dataclass(frozen=True)
class Entry:
    """One measure, of test samples and perhaps of training samples too."""

    name: str
    """As pages name it, and as it is linked to."""
    names: tuple[str, ...]
    """As files have it."""
    label: str
    text: str
    unit: str
    direction: str
    places: str
    """The files that have it."""


def setup(app: Sphinx) -> None:
    """Add the block."""
    app.add_directive("measures", _Measures)


def write(docs: Path) -> None:
    """Check that the pages have all measures once, and write the table of all of them.

    Raises:
        ValueError: A measure stands on no page or on several, or a page names one that is none.
    """
    entries = _entries()
    index = (docs / "measures" / "index.md").read_text(encoding="utf-8")
    # In the order of the site.
    pages = sorted(
        (docs / "measures").glob("*.md"), key=lambda page: index.find(f"\n{page.stem}\n")
    )
    found = {page: _named_on(page.read_text(encoding="utf-8"), entries) for page in pages}
    count = Counter(name for names in found.values() for name in names)
    wrong = [f"{name} stands on {count[name]} pages" for name in entries if count[name] != 1]
    if wrong:
        raise ValueError(
            "Every measure must stand in a block {measures} on exactly one page of docs/measures/, "
            f"but: {'; '.join(wrong)}."
        )
    rows = []
    for page, names in found.items():
        title = page.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
        for entry in (entries[name] for name in names):
            files = ", ".join(f"`{each}`" for each in entry.names)
            rows.append(
                f"| [{entry.label}](#measure-{entry.name}) | {files} "
                f"| {entry.direction.split()[0]} | [{title}](../measures/{page.name}) |"
            )
    table = ["| measure | in the files | better | page |", "|---|---|---|---|", *rows]
    texts = {"table.md": table, _ENTRIES: [repr(entry) for entry in entries.values()]}
    write_files(
        docs / "generated" / "measures",
        {name: "\n".join(lines) + "\n" for name, lines in texts.items()},
    )


class _Measures(SphinxDirective):
    """A list of measures: what each is called, what it is, its unit and its direction."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        # So that a page is made anew when the registries change.
        self.env.note_dependency(f"generated/measures/{_ENTRIES}")
        self.env.note_dependency(__file__)
        entries = _entries()
        shown = nodes.definition_list(classes=["measures"])
        for name in _matching(self.content, entries):
            shown += self._item(entries[name])
        return [shown]

    def _item(self, entry: Entry) -> nodes.definition_list_item:
        term = nodes.term("", "", nodes.strong(text=entry.label))
        for name in entry.names:
            term += nodes.Text(" ")
            term += nodes.literal(text=name)
        target = nodes.target("", "", names=[f"measure-{entry.name}"])
        self.state.document.note_explicit_target(target)
        term.insert(0, target)
        facts = f"{entry.unit}; {entry.direction}; in {entry.places}."
        definition = nodes.definition(
            "",
            nodes.paragraph("", "", *_with_options(f"{entry.text[0].upper()}{entry.text[1:]}.")),
            nodes.paragraph("", facts[0].upper() + facts[1:], classes=["measure-facts"]),
        )
        return nodes.definition_list_item("", term, definition)


def _with_options(text: str) -> list[nodes.Node]:
    """A text whose names of options are code, so that no dash of theirs is made a longer one."""
    return [
        nodes.literal(text=part) if part.startswith("--") else nodes.Text(part)
        for part in _OPTION.split(text)
    ]


def _named_on(text: str, entries: dict[str, Entry]) -> list[str]:
    return [
        name
        for block in _BLOCK.finditer(text)
        for name in _matching(block["names"].splitlines(), entries)
    ]


def _matching(lines: Sequence[str], entries: dict[str, Entry]) -> list[str]:
    """The names that are meant by names and patterns, such as ``test_logit_*``."""
    names = []
    for pattern in " ".join(lines).split():
        found = [name for name in entries if fnmatchcase(name, pattern)]
        if not found:
            raise ValueError(
                f"docs/measures: {pattern} is no measure of the registries. There are: "
                f"{', '.join(entries)}."
            )
        names += found
    return names


def _entries() -> dict[str, Entry]:
    """All measures by the name that pages have for them."""
    both = "results.json and inspection.json"
    found = _paired(measure_facts(), both)
    of_own = [measure.facts(split) for measure in MEASURES for split in measure.splits]
    found += _paired(of_own, "inspection.json")
    of_probe = measure_facts(probe=True)[len(measure_facts()) :]
    found += _paired(of_probe, "results.json")
    found += _paired(segmentation_facts(multiscale=True), "results.json")
    for analysis in ANALYSES:
        found += _paired(analysis.facts_under(_SETTINGS), "inspection.json")
    for curve in CURVES:
        percent = curve.factor != 1
        found.append(
            Entry(
                name=f"history_{curve.key}",
                names=(curve.key,),
                label=curve.title.removesuffix(", %"),
                text=curve.caption.rstrip("."),
                unit="a fraction, shown in per cent" if percent else "a number",
                direction="neither way is better",
                places="the history of each run in results.json, one value for each epoch",
            )
        )
    return {entry.name: entry for entry in found}


def _paired(facts: Sequence[MeasureFacts], places: str) -> list[Entry]:
    """An entry for each; one for both where test and training samples have the same measure."""
    groups: dict[tuple[str, str], list[MeasureFacts]] = {}
    for each in facts:
        key = _without_split(each["name"], each["label"])
        groups.setdefault(key, []).append(each)
    entries = []
    for (_, label), group in groups.items():
        group = sorted(group, key=lambda each: each["split"] == "train")
        first = group[0]
        beside = "; likewise of training samples" if len(group) > 1 else ""
        entries.append(
            Entry(
                name=first["name"],
                names=tuple(each["name"] for each in group),
                label=label,
                text=first["help"] + beside,
                unit=_unit(first),
                direction={
                    "higher": "higher is better",
                    "lower": "lower is better",
                    "neither": "neither way is better",
                }[first["better"]],
                places=places,
            )
        )
    return entries


def _without_split(name: str, label: str) -> tuple[str, str]:
    return re.sub("^(test|train)_", "", name), re.sub(r" \((test|train)\)$", "", label)


def _unit(facts: MeasureFacts) -> str:
    low, high = facts["bounds"]
    ends = ""
    if low is not None and high is not None:
        ends = f" from {low:g} to {high:g}"
    elif low is not None:
        ends = f", {low:g} or more"
    elif high is not None:
        ends = f", {high:g} or less"
    return f"a fraction{ends}, shown in per cent" if facts["percent"] else f"a number{ends}"
