"""Write the tables of the findings from the studies' numbers, so that none is typed.

    python docs/findings/write.py take NAME path/to/results.json   keep a study's results
    python docs/findings/write.py                                  write the tables anew
    python docs/findings/write.py --check                          say whether they are up to date

A page names a study and measures in a comment, ``<!-- numbers: NAME; MEASURE … -->``, and the
table is written behind it up to ``<!-- end -->``. A line ``<!-- claim: TEXT | NAME | MEASURE |
METHOD | AGAINST | + or - -->`` makes a row of the summary in README.md, judged as ``maxsup
reproduce`` judges the paper's tables.
"""

import argparse
import gzip
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from maxsup.inspection import INSPECTION_FILE, read_inspection, write_inspection
from maxsup.paper import Claim, outcome_of
from maxsup.results import (
    command_without_places,
    numbers,
    read_results,
    without_places,
    write_results,
)
from maxsup.statistics import judge, summarise

HERE = Path(__file__).parent
KEPT = HERE / "results"
_NUMBERS = re.compile(r"(<!-- numbers: ([^;]+); ([^>]+?) -->\n).*?(<!-- end -->)", re.DOTALL)
_CLAIM = re.compile(r"<!-- claim: (.+?) -->")
_SUMMARY = re.compile(r"(<!-- summary -->\n).*?(<!-- end -->)", re.DOTALL)


def take(name: str, source: Path) -> None:
    """Keep the results of a study, or of an inspection, from which tables and pages are made."""
    with tempfile.TemporaryDirectory() as directory:
        if source.name == INSPECTION_FILE:
            inspection = read_inspection(source)
            inspection["command"] = command_without_places(inspection["command"])
            for model in inspection["models"]:
                model["place"] = without_places(model["place"])
            write_inspection(inspection, Path(directory))
        else:
            results = read_results(source)
            results["command"] = command_without_places(results["command"])
            for of in (results["data"], results["verdict"]):
                of["notes"] = [without_places(note) for note in of["notes"]]
            write_results(results, Path(directory))
        content = (Path(directory) / source.name).read_bytes()
    KEPT.mkdir(exist_ok=True)
    # Without a time in it, so that the same results are the same file.
    (KEPT / f"{name}.json.gz").write_bytes(gzip.compress(content, mtime=0))


def study_of(name: str) -> Any:
    """What is kept of a study, or of an inspection, whose models are then its runs."""
    study = json.loads(gzip.decompress((KEPT / f"{name}.json.gz").read_bytes()))
    if "models" in study:
        study["runs"] = [{**model, "status": "finished"} for model in study["models"]]
    return study


def values_of(study: Any, measure: str) -> dict[str, dict[int, float | None]]:
    """By method and seed."""
    found: dict[str, dict[int, float | None]] = {each["name"]: {} for each in study["methods"]}
    for run in study["runs"]:
        if run["status"] == "finished":
            found[run["method"]][run["seed"]] = run["values"].get(measure)
    return found


def table_of(name: str, measures: list[str]) -> str:
    """Each method's mean ± standard deviation and its paired difference to the baseline."""
    study = study_of(name)
    facts = {each["name"]: each for each in study["measures"]}
    heads = [numbers.name_of(facts[measure]) for measure in measures]
    lines = [
        "| method | " + " | ".join(heads) + " |",
        "|---" * (len(measures) + 1) + "|",
    ]
    summaries = {
        measure: summarise(values_of(study, measure), baseline=study["baseline"])
        for measure in measures
    }
    for method in study["methods"]:
        cells = []
        for measure in measures:
            summary = summaries[measure][method["name"]]
            text = numbers.mean_and_std(summary, facts[measure])
            difference = summary["difference"]
            if difference is not None and method["name"] != study["baseline"]:
                text += "<br>" + numbers.number(difference["mean"], facts[measure], signed=True)
                if interval := numbers.interval(difference, facts[measure]):
                    text += f" ({interval})"
            cells.append(text)
        lines.append(f"| {method['label']} | " + " | ".join(cells) + " |")
    lines += [
        "",
        f"{len(study['seeds'])} seeds; mean ± standard deviation, and below it the paired "
        "difference to the first row with its 95 % interval, each by itself. "
        f"`{study['command']}`",
    ]
    return "\n".join(lines) + "\n"


def claims() -> list[list[str]]:
    """The claims of all pages: text, study, measure, method, against, sign, page."""
    found = []
    for page in sorted(HERE.glob("*.md")):
        for line in _CLAIM.findall(page.read_text("utf-8")):
            found.append([*(part.strip() for part in line.split("|")), page.name])
    return found


def summary() -> str:
    """Claim of the paper | what was seen | where, with intervals that hold page by page."""
    lines = ["| claim | seen | where |", "|---|---|---|"]
    for text, name, measure, method, against, sign, page in claims():
        study = study_of(name)
        facts = next(each for each in study["measures"] if each["name"] == measure)
        contrast = judge(values_of(study, measure), [(method, against)], margin=1e-12)[0]
        claim = Claim(method, against, 1 if sign == "+" else -1)
        outcome, _ = outcome_of(claim, contrast)
        value = numbers.number(contrast["mean"], facts, signed=True)
        seen = f"**{outcome}**: {facts['label']} {value}"
        if interval := numbers.interval(contrast, facts):
            seen += f" ({interval})"
        lines.append(f"| {text} | {seen}, {len(contrast['seeds'])} seeds | [{name}]({page}) |")
    return "\n".join(lines) + "\n"


def written(page: Path) -> str:
    """A page with its tables made anew."""
    text = page.read_text("utf-8")
    text = _NUMBERS.sub(
        lambda found: found[1] + table_of(found[2].strip(), found[3].split()) + found[4], text
    )
    return _SUMMARY.sub(lambda found: found[1] + summary() + found[2], text)


def main(words: list[str] | None = None) -> int:
    """Keep numbers, or write or check the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="*", metavar="take NAME RESULTS")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args(words)
    if options.what:
        _, name, source = options.what
        take(name, Path(source))
        return 0
    stale = []
    for page in sorted(HERE.glob("*.md")):
        text = written(page)
        if text != page.read_text("utf-8"):
            stale.append(page.name)
            if not options.check:
                page.write_text(text, "utf-8")
    if options.check and stale:
        print(f"Not up to date: {', '.join(stale)}. Run {Path(__file__).name}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
