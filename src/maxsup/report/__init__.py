"""What a study found: a table for the terminal, and a page of sections.

Example:
    >>> from maxsup.results import read_results
    >>> results = read_results("runs/digits/results.json")  # doctest: +SKIP
    >>> write_report(results, "page.html")  # doctest: +SKIP
"""

from maxsup.report._page import render_report, write_report
from maxsup.report._table import results_table

__all__ = ["render_report", "results_table", "write_report"]
