"""``maxsup methods``: the objectives that can be compared."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import tyro

from maxsup._method_names import written
from maxsup.commands._command import Command
from maxsup.commands._options import CommonOptions

if TYPE_CHECKING:
    from maxsup.losses.toolkit import Coefficient
    from maxsup.methods import Method


@dataclass(frozen=True)
class Options(CommonOptions):
    """List the methods and their coefficients, or show one's page: formula, what it does, cost."""

    name: Annotated[tyro.conf.Positional[str | None], tyro.conf.arg(metavar="METHOD")] = None
    """The method to show."""


def run(options: Options) -> int:
    """Print the list, or a page."""
    from rich.markdown import Markdown
    from rich.markup import escape
    from rich.table import Table

    from maxsup._console import console
    from maxsup.methods import all_methods, get_method

    if options.name is not None:
        method = get_method(options.name)
        console().print(Markdown(method.page() + _coefficients(method)))
        return 0
    table = Table("method", "what it does", "coefficients", box=None, pad_edge=False)
    for method in all_methods():
        declared = [each.describe() for each in method.coefficients]
        table.add_row(
            method.name, method.summary, escape("\n".join(declared or [method.settings()]))
        )
    console().print(table)
    print(
        "\nCoefficients are set behind a method's name: maxsup:alpha=0.05, maxsup:alpha=0.1..0.2 "
        "for a linear\nschedule over the epochs, acls:alpha=0.1,margin=6. "
        "maxsup methods NAME shows a method's page."
    )
    return 0


def _coefficients(method: "Method") -> str:
    """What can be set of a method, as a part of its page."""
    if not method.coefficients:
        return ""
    name = method.name.partition(":")[0]
    rows = "".join(
        f"- `{name}:{each.name}={written(each.default)}`: {each.describe()}{_searched(each)}\n"
        for each in method.coefficients
    )
    return f"\n\n**On the command line.**\n\n{rows}"


def _searched(coefficient: "Coefficient") -> str:
    """Where --tune looks for its value."""
    search = coefficient.search
    if search is None:
        return "; not tuned"
    return f"; tuned from {search.low:g} to {search.high:g} ({search.scale} scale)"


COMMAND = Command(Options, run)
