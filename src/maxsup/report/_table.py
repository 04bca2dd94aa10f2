"""The study's tables in the terminal."""

from rich.console import Group
from rich.table import Table
from rich.text import Text

from maxsup.results import Results, numbers


def results_table(results: Results) -> Group:
    """The verdict, accuracy with its differences, and the means of the other headline measures.

    Returns:
        What :meth:`rich.console.Console.print` shows, in 80 columns.
    """
    return Group(
        Text(results["verdict"]["sentence"] + "\n", style="bold"),
        *(Text(f"- {note}") for note in results["verdict"]["notes"]),
        Text(),
        _primary_table(results),
        _means_table(results),
        *(
            Text(f"{run['method']}, seed {run['seed']} failed: {run['cause']}")
            for run in results["runs"]
            if run["status"] == "failed"
        ),
    )


def _primary_table(results: Results) -> Table:
    primary = results["measures"][0]
    table = Table(title_justify="left", title=_title(results))
    table.add_column("method", no_wrap=True)
    table.add_column(Text(numbers.name_of(primary)), justify="right", no_wrap=True)
    table.add_column("difference, 95 % interval", justify="right", min_width=12)
    table.add_column("conclusion", justify="right", min_width=10)
    for method in results["methods"]:
        summary = results["summary"][primary["name"]][method["name"]]
        table.add_row(
            _in_two_lines(method["name"]),
            numbers.mean_and_std(summary, primary),
            numbers.against_baseline(results, method["name"]),
            numbers.conclusion(results, method["name"]),
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
