"""Results as a notebook shows them."""

from collections.abc import Iterable
from html import escape
from typing import Any, cast

from maxsup.results import numbers
from maxsup.results.schema import Results
from maxsup.statistics import holds


class _ShownResults(dict[str, Any]):
    """The dictionary itself; only its looks are different."""

    def __repr__(self) -> str:
        results = cast(Results, self)
        methods, seeds = len(results["methods"]), len(results["seeds"])
        return (
            f"<Results on {results['data']['name']}: {methods} method{'s' * (methods != 1)}, "
            f"{seeds} seed{'s' * (seeds != 1)}>"
        )

    def _repr_html_(self) -> str:
        return _table(cast(Results, self))


def shown(results: Results) -> Results:
    """The same results, which Jupyter shows as a table and Python by a short name.

    Args:
        results: The results of a study, or a dictionary of the same form; it is not changed.

    Returns:
        A shallow copy that is equal to the dictionary, and goes through JSON and pickle like it.

    Example:
        >>> results = {"data": {"name": "digits"}, "methods": [{}, {}], "seeds": [0, 1, 2]}
        >>> shown(results)
        <Results on digits: 2 methods, 3 seeds>
        >>> shown(results) == results
        True
    """
    return cast(Results, _ShownResults(results))


def _table(results: Results) -> str:
    """The verdict, and a row for each method: the headline measures and the primary's difference.

    A difference that holds is bold.
    """
    headline = [measure for measure in results["measures"] if measure["headline"]]
    primary = results["measures"][0]
    columns = [numbers.name_of(measure) for measure in headline]
    compared = f"difference in {primary['label'].lower()}, 95 % interval"
    rows = []
    for method in results["methods"]:
        name = method["name"]
        means = [
            numbers.mean_and_std(results["summary"][measure["name"]][name], measure)
            for measure in headline
        ]
        difference = results["summary"][primary["name"]][name]["difference"]
        if difference is None:
            last = "baseline" if name == results["baseline"] else numbers.NOTHING
        else:
            last = numbers.difference_and_interval(difference, primary)
        rows.append(_row(method["label"], [*means, last], bold=holds(difference)))
    heads = "".join(
        f'<th scope="col">{escape(column)}</th>' for column in ("method", *columns, compared)
    )
    return (
        f"<p><strong>{escape(results['verdict']['sentence'])}</strong></p>"
        f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def _row(label: str, cells: Iterable[str], *, bold: bool) -> str:
    *plain, last = map(escape, cells)
    last = f"<strong>{last}</strong>" if bold else last
    shown_cells = "".join(f"<td>{cell}</td>" for cell in (*plain, last))
    return f'<tr><th scope="row">{escape(label)}</th>{shown_cells}</tr>'
