"""Where the results of something that was not trained here are written."""

from pathlib import Path

from maxsup.commands._options import REPORT_FILE
from maxsup.results import RESULTS_FILE, SUMMARY_FILE, TABLE_FILE, read_results


def check_results_directory(directory: Path) -> None:
    """See that nothing of a study's, or of anybody else's, would be overwritten.

    Earlier results, which the same files name as that, may be.

    Raises:
        ValueError: Something would be.
    """
    if (directory / "study.json").exists():
        raise ValueError(
            f"{directory} is the directory of a study, whose results would be lost. Name another "
            "one with --out."
        )
    files = (RESULTS_FILE, TABLE_FILE, SUMMARY_FILE, REPORT_FILE)
    there = [name for name in files if (directory / name).exists()]
    if not there:
        return
    try:
        read_results(directory / RESULTS_FILE)
    except (ValueError, OSError) as error:
        raise ValueError(
            f"{directory} holds files that were not written here ({', '.join(there)}) and would be "
            "overwritten. Name another directory with --out."
        ) from error
