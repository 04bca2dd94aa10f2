"""The section on how strengths were chosen."""

import re

from maxsup.report import render_report
from maxsup.results import Results

from .conftest import with_tuning


def _section(html: str) -> str:
    found = re.search(r'<section aria-labelledby="tuning">.*?</section>', html, re.DOTALL)
    assert found is not None
    return found[0]


def test_section_shows_the_response_and_what_was_chosen(results: Results) -> None:
    section = _section(render_report(with_tuning(results)))
    # Of the method of which no trial came to an end, there are its seeds that did; no budget.
    pictures = re.findall(r'aria-label="([^"]*)"', section)
    assert sum("against alpha" in each for each in pictures) == 1
    assert sum("against learning rate" in each for each in pictures) == 1
    assert "0.1 0.55 (chosen)" in " ".join(pictures)
    assert "MaxSup, α 0.1 (tuned) 0.65 of one trial, 0.555 of 6" in " ".join(pictures)
    assert "A line for each of 2 learning rates." in section
    rows = re.findall(r"<tr role=\"row\">(.*?)</tr>", section, re.DOTALL)[1:]
    assert ["the default itself" in row for row in rows] == [True, False, False]
    assert ["no trial came to an end" in row for row in rows] == [False, True, False]
    assert "3 of 3 trials failed" in rows[1]
    assert "at the edge of what was tried (learning rate)" in rows[2]
    assert "alpha 0.02, 0.1, 0.5; learning rate 0.05, 0.2" in rows[2]
    assert "0.5500" in rows[2]


def test_accuracy_is_shown_in_per_cent(results: Results) -> None:
    tuned = with_tuning(results)
    assert tuned["tuning"] is not None
    tuned["tuning"]["by"] = "validation_accuracy"
    section = _section(render_report(tuned))
    assert "validation accuracy in %" in section
    assert "55.00" in section
