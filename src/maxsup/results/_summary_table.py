"""``summary.csv``: what the seeds say together, for a spreadsheet or a data frame."""

import csv
import io

from maxsup.results.schema import Results

_COLUMNS = (
    "measure", "method", "n", "mean", "sd", "against", "difference", "low", "high", "conclusion",
)  # fmt: skip


def summary_table(results: Results) -> str:
    """A row for each measure and method, in the units of ``results.json``, as CSV.

    The difference is that to the baseline with its 95 % interval. In the primary measure, the first
    one, intervals are those of the contrasts, and what is concluded stands beside them; a contrast
    with another method than the baseline has a row more.
    """
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    for measure in results["measures"]:
        for method in results["methods"]:
            summary = results["summary"][measure["name"]][method["name"]]
            row = {
                "measure": measure["name"],
                "method": method["name"],
                "n": summary["n"],
                "mean": summary["mean"],
                "sd": summary["std"],
            }
            contrasts = [
                {**row, "against": each["against"], "difference": each["mean"]}
                | {key: each[key] for key in ("low", "high", "conclusion")}
                for each in results["contrasts"]
                if measure is results["measures"][0] and each["method"] == method["name"]
            ]
            if not any(each["against"] == results["baseline"] for each in contrasts):
                difference = summary["difference"]
                if difference is not None:
                    row |= {"against": results["baseline"], "difference": difference["mean"]}
                    row |= {"low": difference["low"], "high": difference["high"]}
                writer.writerow(row)
            writer.writerows(contrasts)
    return buffer.getvalue()
