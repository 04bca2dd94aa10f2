"""What a study found: a table for the terminal, and the page."""

from maxsup.report._page import render_report, write_report
from maxsup.report._table import results_table

__all__ = ["render_report", "results_table", "write_report"]
