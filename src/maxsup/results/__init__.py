"""What ``results.json`` holds, and how a number of it is shown; nothing here trains."""

from maxsup.results._file import RESULTS_FILE, TABLE_FILE, read_results, write_results
from maxsup.results.schema import Results

__all__ = ["RESULTS_FILE", "TABLE_FILE", "Results", "read_results", "write_results"]
