"""The files that a study's results are kept in."""

import csv
import io
import json
from pathlib import Path
from typing import Any, cast, get_args

from maxsup._digests import DamagedFile, read_object, with_digest, without_digest
from maxsup._files import write_text
from maxsup._formats import check_format
from maxsup._places import as_place
from maxsup.results import schema
from maxsup.results._shown import shown
from maxsup.results._summary_table import summary_table

RESULTS_FILE = "results.json"
TABLE_FILE = "results.csv"
SUMMARY_FILE = "summary.csv"

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
    """Write ``results.json``, ``results.csv`` with a row for each run, and ``summary.csv``.

    The last has a row for each measure and method: n, mean, standard deviation, the difference to
    the baseline with its interval, and in the primary measure what is concluded.

    Args:
        results: The results of :func:`maxsup.study.compare`.
        directory: The directory of the study, which exists.

    Raises:
        OSError: A file could not be written; its former version is intact.
    """
    rest = {name: value for name, value in results.items() if name != "timings"}
    # Timings have a digest of their own: all else is the same in each repetition.
    content = {**with_digest(rest), "timings": with_digest(results["timings"])}
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_text(directory / RESULTS_FILE, text)
    write_text(directory / TABLE_FILE, _table(results))
    write_text(directory / SUMMARY_FILE, summary_table(results))


def read_results(path: Path | str) -> schema.Results:
    """Read a ``results.json``, from a path or a URL.

    Returns:
        What :func:`maxsup.study.compare` returned; a notebook shows it as a table.

    Raises:
        OSError: The file cannot be read.
        ValueError: The file is not as it was written, holds something else, or is of another
            format; the message says what to do.
    """
    try:
        content = _read(as_place(path).read_bytes(), path)
    except DamagedFile as error:
        raise DamagedFile(
            f"{error} The study's command writes it anew from its runs, without training them "
            "again."
        ) from error
    if "format" not in content:
        raise ValueError(f"{path} holds no results of a study. Name a study's results.json.")
    check_format(
        content["format"],
        str(path),
        newest=schema.FORMAT,
        oldest=schema.FORMAT,
        remedy="Repeat the study's command with this version.",
    )
    try:
        for measure in content["measures"]:
            _complete(measure)
        for run in content["runs"]:
            run.setdefault("risk_coverage", None)
        for method in content["methods"]:
            # Files did not tell them apart at first.
            method.setdefault("coefficients", {})
            method.setdefault("tuned", False)
        content.setdefault("tuning", None)
        content.setdefault("images", None)
        content["data"].setdefault("redrawn", [])
        content.setdefault(
            "asked",
            schema.Asked(
                methods=[method["name"] for method in content["methods"]],
                seeds=content["seeds"],
                left_out=[],
            ),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path} holds no results of a study: {error!r}.") from error
    return shown(cast(schema.Results, content))


def _read(text: bytes, path: Path | str) -> dict[str, Any]:
    """What the file holds; timings have a digest of their own."""
    content = read_object(text, path, leave_out=("timings",))
    if isinstance(timings := content.get("timings"), dict):
        content["timings"] = without_digest(timings, f"timings in {path}")
    return content


def _complete(measure: dict[str, Any]) -> None:
    """Add what files did not say of a measure before they had ``split`` and what follows it here.

    A measure's name began with its split then too.
    """
    split = measure["name"].partition("_")[0]
    measure.setdefault("split", split if split in get_args(schema.SplitName) else "test")
    measure.setdefault("headline", measure["name"] in _FORMER_HEADLINES)
    measure.setdefault("detail", False)
    measure.setdefault("bounds", schema.bounds_of(None, percent=measure["percent"]))


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
