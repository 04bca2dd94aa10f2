"""Results as a notebook shows them."""

from html import escape
from typing import Any, cast

from maxsup.results import numbers
from maxsup.results.schema import Results


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
    """The verdict, and a row for each method: the headline measures, what is concluded and why."""
    primary, *others = results["measures"]
    beside = [measure for measure in others if measure["headline"]]
    heads = [numbers.name_of(measure) for measure in (primary, *beside)]
    heads[1:1] = ["difference, 95 % interval", "conclusion"]
    failed = numbers.any_failed(results)
    if failed:
        heads.append("failed")
    rows = []
    for method in results["methods"]:
        cells = [
            escape(numbers.mean_and_std(results["summary"][each["name"]][method["name"]], each))
            for each in (primary, *beside)
        ]
        cells[1:1] = [
            escape(numbers.against_baseline(results, method["name"])),
            escape(numbers.conclusion(results, method["name"])),
        ]
        if failed:
            cells.append(numbers.failures(results, method["name"]))
        rows.append(
            f'<tr><th scope="row">{escape(method["label"])}</th>'
            + "".join(f'<td style="white-space: nowrap">{cell}</td>' for cell in cells)
            + "</tr>"
        )
    columns = "".join(f'<th scope="col">{escape(head)}</th>' for head in ("method", *heads))
    return (
        f"<p><strong>{escape(results['verdict']['sentence'])}</strong></p>"
        + (f"<p>{escape(also)}</p>" if (also := results["verdict"].get("also")) else "")
        + f"<table><thead><tr>{columns}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )
