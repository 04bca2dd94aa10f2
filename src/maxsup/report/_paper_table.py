"""A study's table as it would stand in a paper, in LaTeX and in Markdown."""

import re
from typing import NamedTuple

from maxsup.results import Results, numbers
from maxsup.results.schema import MeasureFacts
from maxsup.statistics import Contrast

_LATEX = {
    "\\": r"\textbackslash{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "–": "--",
    "’": "'",
    **{
        character: f"${word}$"
        for character, word in {
            "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta", "ε": r"\varepsilon",
            "λ": r"\lambda", "τ": r"\tau", "Δ": r"\Delta", "→": r"\to", "↑": r"\uparrow",
            "↓": r"\downarrow", "±": r"\pm", "−": "-", "×": r"\times", "₁": "_1", "₂": "_2",
            "²": "^2",
        }.items()
    },
}  # fmt: skip
"""What stands for a character that LaTeX reads in another way, or that its fonts may lack."""


class _Table(NamedTuple):
    """The words of a table, as yet in no markup."""

    caption: str
    head: list[str]
    rows: list[list[str]]


def latex_table(results: Results) -> str:
    r"""The study as a ``table`` for a paper, which needs the package booktabs.

    A row for each method: the primary measure as mean ± standard deviation over the seeds, its
    difference to the baseline with the interval by which it is judged, what is concluded, and the
    other headline measures. Names are escaped; that of the data as well.

    Args:
        results: The results of :func:`maxsup.study.compare`, of
            :func:`maxsup.results.read_results` or of :func:`maxsup.results.analyse_again`.

    Returns:
        The lines from ``\begin{table}`` to ``\end{table}``, with a newline at the end.
    """
    table = _words(results)
    rows = [" & ".join(map(_latex, row)) + r" \\" for row in (table.head, *table.rows)]
    return "\n".join(
        [
            r"% Needs \usepackage{booktabs}.",
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{_latex(table.caption)}}}",
            rf"\begin{{tabular}}{{l{'c' * (len(table.head) - 1)}}}",
            r"\toprule",
            rows[0],
            r"\midrule",
            *rows[1:],
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def markdown_table(results: Results) -> str:
    """The study as a table in GitHub's Markdown, with the columns of :func:`latex_table`.

    Args:
        results: As there.

    Returns:
        The table and its caption below it, with a newline at the end.
    """
    table = _words(results)
    lines = [table.head, ["---", *["---:"] * (len(table.head) - 1)], *table.rows]
    rows = [
        "| " + " | ".join(line if line is lines[1] else map(in_markdown, line)) + " |"
        for line in lines
    ]
    return "\n".join([*rows, "", in_markdown(table.caption), ""])


def _words(results: Results) -> _Table:
    primary, *others = results["measures"]
    beside = [measure for measure in others if measure["headline"]]
    head = [numbers.name_of(measure) for measure in (primary, *beside)]
    rows = []
    # Only other pairs may have been asked for.
    judged = any(each["against"] == results["baseline"] for each in results["contrasts"])
    if judged:
        head[1:1] = ["Δ [95 % interval]", "Conclusion"]
    failed = numbers.any_failed(results)
    if failed:
        head.append("Failed")
    for method in results["methods"]:
        name = method["name"]
        cells = [_mean(results, measure, name) for measure in (primary, *beside)]
        if judged:
            contrast = numbers.baseline_contrast(results, name)
            difference = numbers.NOTHING if contrast is None else _difference(contrast, primary)
            cells[1:1] = [difference, numbers.conclusion(results, name) or numbers.NOTHING]
        if failed:
            cells.append(numbers.failures(results, name))
        rows.append([method["label"], *cells])
    return _Table(_caption(results), ["Method", *head], rows)


def _mean(results: Results, measure: MeasureFacts, method: str) -> str:
    summary = results["summary"][measure["name"]][method]
    some = numbers.seeds_used(summary, results["seeds"])
    return numbers.mean_and_std(summary, measure) + (f" ({some})" if some else "")


def _difference(contrast: Contrast, measure: MeasureFacts) -> str:
    mean = numbers.number(contrast["mean"], measure, signed=True)
    ends = numbers.interval(contrast, measure)
    return f"{mean} [{ends.replace(' to ', ', ')}]" if ends else mean


def _caption(results: Results) -> str:
    labels = {method["name"]: method["label"] for method in results["methods"]}
    data, seeds, count = results["data"], len(results["seeds"]), len(results["contrasts"])
    primary = results["measures"][0]
    noise = f", {100 * data['label_noise']:g} % label noise" if data["label_noise"] else ""
    over = "one seed" if seeds == 1 else f"mean ± standard deviation over {seeds} seeds"
    sentences = [f"{data['name']}{noise}: {over}."]
    if count:
        margin = f"{100 * results['margin'] if primary['percent'] else results['margin']:.3g}"
        margin += " points" if primary["percent"] else ""
        together = "" if count == 1 else f", simultaneous over {count} comparisons"
        if any(each["against"] == results["baseline"] for each in results["contrasts"]):
            sentences.append(f"Δ: difference to {labels[results['baseline']]}.")
        sentences.append(
            f"Differences ({primary['label']}) are {_pairing(results)}, with 95 % intervals"
            f"{together}: beyond 0 better or worse, within ±{margin} the same, else undecided."
        )
    for contrast in results["contrasts"]:
        if contrast["against"] != results["baseline"] and contrast["mean"] is not None:
            sentences.append(
                f"{labels[contrast['method']]} against {labels[contrast['against']]}: "
                f"{_difference(contrast, primary)}, {contrast['conclusion']}."
            )
    return " ".join(sentences)


def _pairing(results: Results) -> str:
    unpaired = ["unpaired" in each for each in results["contrasts"]]
    if all(unpaired):
        return "unpaired (Welch)"
    return "paired over seeds" + (" where seeds are shared, else unpaired" if any(unpaired) else "")


def _latex(text: str) -> str:
    escaped = "".join(_LATEX.get(character, character) for character in " ".join(text.split()))
    # A bracket behind the line break of the row above would be read as that one's argument.
    return re.sub(r"^\[", "{[}", escaped)


def in_markdown(text: str) -> str:
    """A text in one line, with nothing in it that Markdown would read in another way."""
    # A difference's brackets make no link, since no parenthesis follows them.
    return re.sub(r"([\\`*_<>|#~]|&(?=#|\w+;)|\](?=[(\[:]))", r"\\\1", " ".join(text.split()))
