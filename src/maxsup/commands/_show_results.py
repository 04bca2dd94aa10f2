"""What ``compare`` and ``report`` print of a study, and what ``compare`` ends with."""

import sys
from pathlib import Path

from maxsup._console import console
from maxsup.commands._options import TableOptions
from maxsup.report import latex_table, markdown_table, results_table
from maxsup.results import Results


def show_results(results: Results, page: Path, form: TableOptions) -> None:
    """Print the table, in the form that was asked for, and where the page is.

    A table for a paper stands alone on standard output, so that it can be sent to a file.
    """
    if form.latex or form.markdown:
        print((latex_table if form.latex else markdown_table)(results), end="")
        print(f"The page: {page}", file=sys.stderr)
    else:
        console().print(results_table(results))
        print(f"\nThe page: {page}")


def exit_code(results: Results) -> int:
    """1 where a run that was asked for has failed, so that no later job builds on half a study.

    Runs that earlier commands left in the directory stand in the results only where they finished.
    """
    return 1 if any(run["status"] == "failed" for run in results["runs"]) else 0
