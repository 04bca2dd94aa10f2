"""The files that a study's results are kept in."""

import csv
import io
import json
from pathlib import Path
from typing import Any, NoReturn, cast, get_args

from maxsup._files import write_text
from maxsup._places import as_place
from maxsup.results import schema
from maxsup.results._shown import shown

RESULTS_FILE = "results.json"
TABLE_FILE = "results.csv"

_FORMER_HEADLINES = (
    "test_accuracy",
    "test_nll",
    "test_ece",
    "test_confidence_wrong",
    "test_r2",
    "train_accuracy",
)
"""The measures of the short tables before files said which these are."""


def write_results(results: schema.Results, directory: Path) -> None:
    """Write ``results.json``, and ``results.csv`` with a row for each run.

    Args:
        results: The results of :func:`maxsup.study.compare`.
        directory: The directory of the study, which exists.

    Raises:
        OSError: A file could not be written; its former version is intact.
    """
    text = json.dumps(results, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_text(directory / RESULTS_FILE, text)
    write_text(directory / TABLE_FILE, _table(results))


def read_results(path: Path | str) -> schema.Results:
    """Read a ``results.json``, from a path or a URL.

    Returns:
        What :func:`maxsup.study.compare` returned; a notebook shows it as a table.

    Raises:
        OSError: The file cannot be read.
        ValueError: The file holds something else, or is of another format; the message says whether
            a newer maxsup is needed.
    """
    results = json.loads(as_place(path).read_text(encoding="utf-8"))
    if not isinstance(results, dict) or "format" not in results:
        raise ValueError(f"{path} holds no results of a study.")
    if results["format"] != schema.FORMAT:
        _refuse(path, results["format"])
    for measure in results["measures"]:
        _complete(measure)
    for run in results["runs"]:
        run.setdefault("risk_coverage", None)
    return shown(cast(schema.Results, results))


def _refuse(path: Path | str, found: object) -> NoReturn:
    if isinstance(found, int) and found > schema.FORMAT:
        remedy = "A newer maxsup is needed: pip install --upgrade maxsup"
    else:
        remedy = "Repeat the study's command with this version."
    raise ValueError(
        f"{path} has format {found!r}; this version of maxsup reads format {schema.FORMAT}. "
        f"{remedy}"
    )


def _complete(measure: dict[str, Any]) -> None:
    """Add what files did not say of a measure before they had ``split``, ``headline``, ``detail``.

    A measure's name began with its split then too.
    """
    split = measure["name"].partition("_")[0]
    measure.setdefault("split", split if split in get_args(schema.SplitName) else "test")
    measure.setdefault("headline", measure["name"] in _FORMER_HEADLINES)
    measure.setdefault("detail", False)


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
