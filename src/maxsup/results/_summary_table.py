"""``summary.csv``: what the seeds say together, for a spreadsheet or a data frame."""

import csv
import io
from collections import Counter
from collections.abc import Sequence

from maxsup.results.schema import Results

_COLUMNS = (
    "measure", "method", "n", "failed", "seeds", "mean", "sd", "against", "difference", "low",
    "high", "paired_seeds", "conclusion",
)  # fmt: skip


def summary_table(results: Results) -> str:
    """A row for each measure and method, in the units of ``results.json``, as CSV.

    The difference is that to the baseline with its 95 % interval. In the primary measure, the first
    one, intervals are those of the contrasts, and what is concluded stands beside them; a contrast
    with another method than the baseline has a row more. ``n`` and ``seeds`` are those of the mean,
    ``failed`` is how many of the method's runs failed, and ``paired_seeds`` are those of the
    difference.
    """
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    failed = Counter(run["method"] for run in results["runs"] if run["status"] == "failed")
    for measure in results["measures"]:
        for method in results["methods"]:
            summary = results["summary"][measure["name"]][method["name"]]
            row = {
                "measure": measure["name"],
                "method": method["name"],
                "n": summary["n"],
                "failed": failed[method["name"]],
                "seeds": _listed(summary.get("seeds")),
                "mean": summary["mean"],
                "sd": summary["std"],
            }
            contrasts = [
                {**row, "against": each["against"], "difference": each["mean"]}
                | {key: each[key] for key in ("low", "high", "conclusion")}
                | {"paired_seeds": _listed(each["seeds"])}
                for each in results["contrasts"]
                if measure is results["measures"][0] and each["method"] == method["name"]
            ]
            if not any(each["against"] == results["baseline"] for each in contrasts):
                difference = summary["difference"]
                if difference is not None:
                    row |= {"against": results["baseline"], "difference": difference["mean"]}
                    row |= {"low": difference["low"], "high": difference["high"]}
                    row |= {"paired_seeds": _listed(difference.get("seeds"))}
                writer.writerow(row)
            writer.writerows(contrasts)
    return buffer.getvalue()


def _listed(seeds: Sequence[int] | None) -> str:
    return " ".join(map(str, seeds or ()))
