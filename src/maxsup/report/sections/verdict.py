"""The header of a study's page: the question, its answer in words, and what follows from it."""

import re

from markupsafe import Markup

from maxsup.report._next_steps import next_steps
from maxsup.report._templates import render_template
from maxsup.report._words import words_of
from maxsup.report.sections._shared import compares_backbones
from maxsup.results import Results

# Between two sentences of the verdict, each of which begins with a capital letter.
_BETWEEN = re.compile(r"(?<=\.) (?=[A-Z])")


def render_verdict(results: Results, inspection: str | None = None) -> Markup:
    """The verdict with its notes as HTML, which stands above the list of contents.

    Args:
        results: What it is the verdict of.
        inspection: A link to the page of an inspection of the runs, where there is one.
    """
    return render_template(
        "sections/verdict.html.j2",
        {
            "results": results,
            "what": "Backbones" if compares_backbones(results) else "Regularisers",
            "sentences": _BETWEEN.split(results["verdict"]["sentence"]),
            "steps": next_steps(results),
            "words": words_of(results),
            "inspection": inspection,
        },
    )
