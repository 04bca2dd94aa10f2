"""The sections of the page of a table of the paper, in the order of the page."""

from maxsup.report.reproduction.columns import COLUMNS
from maxsup.report.reproduction.repeat import REPEAT

REPRODUCTION_PAGE = (COLUMNS, REPEAT)

__all__ = ["REPRODUCTION_PAGE"]
