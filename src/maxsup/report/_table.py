"""The study's tables in the terminal."""

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text

from maxsup.results import Results, numbers


def results_table(results: Results) -> Group:
    """The verdict, the primary measure with what is concluded, and the other headline means.

    Returns:
        What :meth:`rich.console.Console.print` shows: tables in 80 columns, and lists of the same
        numbers where a terminal has too few for them.
    """
    return Group(
        Text(results["verdict"]["sentence"] + "\n", style="bold"),
        *(Text(also + "\n") for also in [results["verdict"].get("also")] if also),
        *(Text(f"- {note}") for note in results["verdict"]["notes"]),
        Text(),
        Fitting(_primary_table(results)),
        *map(Text, numbers.beside_baseline(results)),
        Fitting(_means_table(results)),
        *(
            Text(f"{run['method']}, seed {run['seed']} failed: {run['cause']}")
            for run in results["runs"]
            if run["status"] == "failed"
        ),
    )


class Fitting:
    """A table, several with some of its columns each, or lists where these would be cut off."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[RenderableType]:
        first, *others = self._table.columns
        parts = list(self._parts(first, others, console, options))
        if parts:
            yield from parts
            return
        if self._table.title is not None:
            yield self._table.title
        for name, *cells in zip(*(column.cells for column in self._table.columns), strict=True):
            yield name
            for column, cell in zip(self._table.columns[1:], cells, strict=True):
                if str(cell):
                    yield Text.assemble("  ", _text(column.header), ": ", _text(cell))

    def _parts(
        self, first: Column, others: list[Column], console: Console, options: ConsoleOptions
    ) -> Iterator[Table]:
        """The first column with as many others as fit beside it, again and again; or nothing."""
        if not all(_fits([first, other], console, options) for other in others):
            return
        rest = others
        while rest:
            count = len(rest)
            while not _fits([first, *rest[:count]], console, options):
                count -= 1
            yield self._of([first, *rest[:count]], has_title=rest is others)
            rest = rest[count:]

    def _of(self, columns: list[Column], *, has_title: bool) -> Table:
        """A table of these columns."""
        table = Table(
            title=self._table.title if has_title else None, title_justify=self._table.title_justify
        )
        for column in columns:
            table.add_column(
                column.header, justify=column.justify, no_wrap=column.no_wrap, width=column.width
            )
        for cells in zip(*(column.cells for column in columns), strict=True):
            table.add_row(*cells)
        return table


def _fits(columns: list[Column], console: Console, options: ConsoleOptions) -> bool:
    """Give each column room for its longest word, which rich does not, and more if there is."""
    ranges = [_room(column, console, options) for column in columns]
    # Between columns stand a line and a space on either side of it.
    spare = options.max_width - sum(each.minimum + 3 for each in ranges) - 1
    if spare < 0:
        return False
    for column, room in zip(columns, ranges, strict=True):
        column.width = min(room.maximum, room.minimum + spare)
        spare -= column.width - room.minimum
    return True


def _room(column: Column, console: Console, options: ConsoleOptions) -> Measurement:
    """The widths of a column that cuts off nothing: with every line broken, and with none."""
    unlimited = options.update(max_width=10_000)
    cells = [Measurement.get(console, unlimited, each) for each in (column.header, *column.cells)]
    most = max(column.min_width or 0, *(each.maximum for each in cells))
    least = max(column.min_width or 0, *(each.minimum for each in cells))
    return Measurement(most if column.no_wrap else least, most)


def _text(cell: RenderableType) -> Text:
    return cell if isinstance(cell, Text) else Text(str(cell))


def _primary_table(results: Results) -> Table:
    primary = results["measures"][0]
    table = Table(title_justify="left", title=_title(results))
    table.add_column("method", no_wrap=True)
    table.add_column(Text(numbers.name_of(primary)), justify="right", no_wrap=True)
    table.add_column("difference, 95 % interval", justify="right", min_width=12)
    table.add_column("conclusion", justify="right", min_width=10)
    failed = numbers.any_failed(results)
    if failed:
        table.add_column("failed", justify="right")
    for method in results["methods"]:
        summary = results["summary"][primary["name"]][method["name"]]
        table.add_row(
            _in_two_lines(method["name"]),
            numbers.mean_and_std(summary, primary),
            numbers.against_baseline(results, method["name"]),
            numbers.conclusion(results, method["name"]),
            *([numbers.failures(results, method["name"])] if failed else []),
        )
    return table


def _means_table(results: Results) -> Table:
    beside = [measure for measure in results["measures"][1:] if measure["headline"]]
    table = Table()
    table.add_column("method", no_wrap=True)
    for measure in beside:
        table.add_column(Text(numbers.name_of(measure)), justify="right", min_width=8)
    for method in results["methods"]:
        means = [results["summary"][each["name"]][method["name"]]["mean"] for each in beside]
        table.add_row(_in_two_lines(method["name"]), *map(numbers.number, means, beside))
    return table


def _in_two_lines(name: str) -> str:
    """A method's name with its coefficients below it, where it has any: a line is short."""
    return name.replace(":", ":\n  ")


def _title(results: Results) -> Text:
    seeds = len(results["seeds"])
    over = "one seed" if seeds == 1 else f"mean ± standard deviation over {seeds} seeds"
    return Text(f"{results['data']['name']}: {over}")
