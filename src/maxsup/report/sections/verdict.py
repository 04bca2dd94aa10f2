"""The header of a study's page: the question, and its answer in words."""

from markupsafe import Markup

from maxsup.report._templates import render_template
from maxsup.results import Results


def render_verdict(results: Results) -> Markup:
    """The verdict with its notes as HTML, which stands above the list of contents."""
    return render_template("sections/verdict.html.j2", {"results": results})
