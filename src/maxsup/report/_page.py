"""The page of a study: one file that needs nothing else."""

from pathlib import Path

from maxsup._files import write_text
from maxsup._places import as_place
from maxsup.report._shell import render_shell
from maxsup.report._words import render_explanations
from maxsup.report.sections import STUDY_PAGE, render_verdict
from maxsup.results import Results

INSPECTION_PAGE_FILE = "inspection/report.html"
"""Beside a study's page, that of an inspection of its runs."""


def write_report(results: Results, path: Path | str) -> None:
    """Write a study's page, atomically.

    One HTML file that loads nothing: readable on a phone, in the dark, in print and by a screen
    reader. Its one script sorts tables; without it all else is the same. Every number on it comes
    from ``results``.

    Args:
        results: The results of :func:`maxsup.study.compare` or of
            :func:`maxsup.results.read_results`.
        path: The file to write, a path or a URL such as ``s3://…``; its directory is made where
            it is missing. Where the inspection of a study's runs lies beside it, it is linked.

    Raises:
        OSError: The file could not be written; a former page is intact.
        ValueError: No such store is known.
    """
    place = as_place(path)
    inside = place.parent / INSPECTION_PAGE_FILE
    html = render_report(results, INSPECTION_PAGE_FILE if inside.exists() else None)
    place.parent.mkdir(parents=True, exist_ok=True)
    write_text(place, html)


def render_report(results: Results, inspection: str | None = None) -> str:
    """The study's page as HTML.

    Args:
        results: As for :func:`write_report`.
        inspection: Where the page of an inspection of its runs lies, as a link; none without one.
    """
    labels = ", ".join(method["label"] for method in results["methods"])
    rendered = (section.render(results) for section in STUDY_PAGE)
    return render_shell(
        title=f"{results['data']['name']}: {labels}",
        header=render_verdict(results, inspection),
        sections=[section for section in rendered if section is not None],
        footer=f"Made by maxsup {results['versions']['maxsup']}. "
        "Every number on this page is in results.json beside it.",
        below=render_explanations(results),
    )
