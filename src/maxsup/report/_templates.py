"""The templates of all pages, and the words for numbers that they share."""

import re
from collections.abc import Mapping

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from maxsup.results import numbers

_ENVIRONMENT = Environment(
    loader=PackageLoader("maxsup.report"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=StrictUndefined,
)
_ENVIRONMENT.globals.update(
    number=numbers.number,
    mean_and_std=numbers.mean_and_std,
    interval=numbers.interval,
    p_value=numbers.p_value,
    name_of=numbers.name_of,
    seeds_used=numbers.seeds_used,
    any_failed=numbers.any_failed,
    failures=numbers.failures,
)


def _whole_options(text: str) -> Markup:
    """Text whose options, as in ``--seeds``, are never broken at their hyphens."""
    return _wrapped(text, r"--[a-z][a-z-]*")


def _whole_words(text: str) -> Markup:
    """A command that is broken between its words alone, as long as each fits on a line."""
    return _wrapped(text, r"\S+")


def _wrapped(text: str, pattern: str) -> Markup:
    html = [
        Markup('<span class="whole">{}</span>').format(part) if number % 2 else escape(part)
        for number, part in enumerate(re.split(f"({pattern})", text))
    ]
    return Markup("").join(html)


_ENVIRONMENT.filters.update(whole_options=_whole_options, whole_words=_whole_words)


def render_template(name: str, content: Mapping[str, object]) -> Markup:
    """HTML from a file in ``templates/``; whatever is no markup itself is escaped.

    Args:
        name: The file's name, relative to ``templates/``.
        content: What the template's names stand for; a name that is missing is an error.
    """
    return Markup(_ENVIRONMENT.get_template(name).render(content))
