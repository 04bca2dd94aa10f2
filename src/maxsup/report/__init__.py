"""What a study found: tables for terminal and paper, and a page of sections.

Example:
    >>> from maxsup.results import read_results
    >>> results = read_results("runs/digits/results.json")  # doctest: +SKIP
    >>> write_report(results, "page.html")  # doctest: +SKIP
    >>> print(latex_table(results))  # doctest: +SKIP
"""

from maxsup.report._page import render_report, write_report
from maxsup.report._paper_table import latex_table, markdown_table
from maxsup.report._table import results_table

__all__ = ["latex_table", "markdown_table", "render_report", "results_table", "write_report"]
