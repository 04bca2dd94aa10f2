"""What a study found: tables for terminal and paper, and a page of sections.

Example:
    >>> from maxsup.results import read_results
    >>> results = read_results("runs/digits/results.json")  # doctest: +SKIP
    >>> write_report(results, "page.html")  # doctest: +SKIP
    >>> print(latex_table(results))  # doctest: +SKIP
"""

from maxsup.report._inspection_page import render_inspection, write_inspection_page
from maxsup.report._inspection_table import inspection_table
from maxsup.report._model_card import model_card
from maxsup.report._page import render_report, write_report
from maxsup.report._paper_table import latex_table, markdown_table
from maxsup.report._reproduction import (
    entries_table,
    render_reproduction,
    reproduction_tables,
    write_reproduction_page,
)
from maxsup.report._table import results_table

__all__ = [
    "entries_table",
    "inspection_table",
    "latex_table",
    "markdown_table",
    "model_card",
    "render_inspection",
    "render_report",
    "render_reproduction",
    "reproduction_tables",
    "results_table",
    "write_inspection_page",
    "write_report",
    "write_reproduction_page",
]
