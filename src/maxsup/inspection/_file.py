"""The files that an inspection is kept in."""

import csv
import io
import json
from pathlib import Path
from typing import cast

from maxsup._digests import read_object, with_digest
from maxsup._files import write_text
from maxsup._formats import check_format
from maxsup._places import as_place
from maxsup.inspection import schema

INSPECTION_FILE = "inspection.json"
TABLE_FILE = "inspection.csv"
EPOCHS_FILE = "epochs.csv"


def write_inspection(inspection: schema.Inspection, directory: Path | str) -> None:
    """Write ``inspection.json``, and ``inspection.csv`` with a row for each model and measure.

    Where models were looked at epoch by epoch, ``epochs.csv`` has a row for each number of each.

    Args:
        inspection: What :func:`inspect` returned.
        directory: The directory, which is made where it is missing.

    Raises:
        OSError: A file could not be written; its former version is intact.
    """
    place = as_place(directory)
    place.mkdir(parents=True, exist_ok=True)
    text = json.dumps(with_digest(inspection), indent=1, ensure_ascii=False, allow_nan=False)
    write_text(place / INSPECTION_FILE, text + "\n")
    write_text(place / TABLE_FILE, _table(inspection))
    epochs = _epochs(inspection)
    if epochs is None:
        (place / EPOCHS_FILE).unlink(missing_ok=True)  # of a former call
    else:
        write_text(place / EPOCHS_FILE, epochs)


def read_inspection(path: Path | str) -> schema.Inspection:
    """Read an ``inspection.json``.

    Raises:
        OSError: The file cannot be read.
        ValueError: The file is not as it was written, holds something else, or is of another
            format.
    """
    content = read_object(as_place(path).read_bytes(), path)
    if "format" not in content or "models" not in content:
        raise ValueError(f"{path} holds no inspection. Name the inspection.json of one.")
    check_format(
        content["format"],
        str(path),
        newest=schema.FORMAT,
        oldest=schema.FORMAT,
        remedy="Repeat the inspection's command with this version.",
    )
    return cast(schema.Inspection, content)


def _table(inspection: schema.Inspection) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(
        ["method", "seed", "place", "measure", "value", "group_mean", "low", "high", "over",
         "difference", "difference_low", "difference_high"]
    )  # fmt: skip
    for model in inspection["models"]:
        for measure in inspection["measures"]:
            name, group = measure["name"], model["method"]
            interval = inspection["intervals"][name].get(group)
            difference = inspection["differences"][name].get(group)
            writer.writerow(
                [
                    group,
                    model["seed"],
                    model["place"],
                    name,
                    model["values"].get(name),
                    *(_ends(interval)),
                    None if interval is None else interval["over"],
                    *(_ends(difference)),
                ]
            )
    return buffer.getvalue()


def _epochs(inspection: schema.Inspection) -> str | None:
    """The numbers of models epoch by epoch; none where there are none."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["method", "seed", "place", "epoch", "measure", "value"])
    found = [each for each in inspection["models"] if "convergence" in each["details"]]
    for model in found:
        of = model["details"]["convergence"]
        for name, values in of["values"].items():
            for epoch, value in zip(of["epochs"], values, strict=True):
                writer.writerow(
                    [model["method"], model["seed"], model["place"], epoch, name, value]
                )
    return buffer.getvalue() if found else None


def _ends(interval: schema.Interval | None) -> list[float | None]:
    if interval is None:
        return [None] * 3
    return [interval["mean"], interval["low"], interval["high"]]
