"""The files that a study's results are kept in."""

import csv
import io
import json
from pathlib import Path

from maxsup._files import write_text
from maxsup._places import as_place
from maxsup.results import schema

RESULTS_FILE = "results.json"
TABLE_FILE = "results.csv"


def write_results(results: schema.Results, directory: Path) -> None:
    """Write ``results.json`` and ``results.csv``, one row per run."""
    text = json.dumps(results, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_text(directory / RESULTS_FILE, text)
    write_text(directory / TABLE_FILE, _table(results))


def read_results(path: Path | str) -> schema.Results:
    """Read a ``results.json``, from a path or a URL.

    Raises:
        ValueError: The file is of another format.
    """
    results: schema.Results = json.loads(as_place(path).read_text(encoding="utf-8"))
    if results.get("format") != schema.FORMAT:
        raise ValueError(
            f"{path} has format {results.get('format')!r}; this version of maxsup reads format "
            f"{schema.FORMAT}. Repeat the study's command with this version."
        )
    return results


def _table(results: schema.Results) -> str:
    measures = [measure["name"] for measure in results["measures"]]
    seconds = {
        (row["method"], row["seed"]): row["seconds_per_epoch"] for row in results["timings"]["runs"]
    }
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["method", "seed", "status", *measures, "seconds_per_epoch", "cause"])
    for run in results["runs"]:
        writer.writerow(
            [
                run["method"],
                run["seed"],
                run["status"],
                *(run["values"].get(name) for name in measures),
                seconds.get((run["method"], run["seed"])),
                run["cause"],
            ]
        )
    return buffer.getvalue()
