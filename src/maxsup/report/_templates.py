"""The templates of all pages, and the words for numbers that they share."""

from collections.abc import Mapping

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

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


def render_template(name: str, content: Mapping[str, object]) -> Markup:
    """HTML from a file in ``templates/``; whatever is no markup itself is escaped.

    Args:
        name: The file's name, relative to ``templates/``.
        content: What the template's names stand for; a name that is missing is an error.
    """
    return Markup(_ENVIRONMENT.get_template(name).render(content))
