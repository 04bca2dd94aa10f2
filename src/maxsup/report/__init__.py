"""What a study found: tables for terminal and paper, and a page of sections.

Example:
    >>> from maxsup.results import read_results
    >>> results = read_results("runs/digits/results.json")  # doctest: +SKIP
    >>> write_report(results, "page.html")  # doctest: +SKIP
    >>> print(latex_table(results))  # doctest: +SKIP
"""

from typing import TYPE_CHECKING

from maxsup._lazy import lazy_names

if TYPE_CHECKING:
    from maxsup.report._entries_table import entries_table as entries_table
    from maxsup.report._inspection_page import render_inspection as render_inspection
    from maxsup.report._inspection_page import write_inspection_page as write_inspection_page
    from maxsup.report._inspection_table import inspection_table as inspection_table
    from maxsup.report._model_card import model_card as model_card
    from maxsup.report._page import render_report as render_report
    from maxsup.report._page import write_report as write_report
    from maxsup.report._paper_table import latex_table as latex_table
    from maxsup.report._paper_table import markdown_table as markdown_table
    from maxsup.report._reproduction import render_reproduction as render_reproduction
    from maxsup.report._reproduction import reproduction_tables as reproduction_tables
    from maxsup.report._reproduction import write_reproduction_page as write_reproduction_page
    from maxsup.report._table import results_table as results_table

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

__getattr__ = lazy_names(
    __name__,
    [],
    {
        "_entries_table": ["entries_table"],
        "_inspection_page": ["render_inspection", "write_inspection_page"],
        "_inspection_table": ["inspection_table"],
        "_model_card": ["model_card"],
        "_page": ["render_report", "write_report"],
        "_paper_table": ["latex_table", "markdown_table"],
        "_reproduction": [
            "render_reproduction",
            "reproduction_tables",
            "write_reproduction_page",
        ],
        "_table": ["results_table"],
    },
)
