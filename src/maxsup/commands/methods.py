"""``maxsup methods``: the objectives that can be compared."""

from dataclasses import dataclass
from typing import Annotated

import tyro

from maxsup.commands._command import Command
from maxsup.commands._options import CommonOptions


@dataclass(frozen=True)
class Options(CommonOptions):
    """List the methods, or show one's page: formula, defaults, when it helps, its cost."""

    name: Annotated[tyro.conf.Positional[str | None], tyro.conf.arg(metavar="METHOD")] = None
    """The method to show."""


def run(options: Options) -> int:
    """Print the list, or a page."""
    from rich.markdown import Markdown
    from rich.table import Table

    from maxsup._console import console
    from maxsup.methods import all_methods, get_method

    if options.name is not None:
        console().print(Markdown(get_method(options.name).page()))
        return 0
    table = Table("method", "what it does", "defaults", box=None, pad_edge=False)
    for method in all_methods():
        table.add_row(method.name, method.summary, method.settings())
    console().print(table)
    print("\nmaxsup methods NAME shows a method's page.")
    return 0


COMMAND = Command(Options, run)
