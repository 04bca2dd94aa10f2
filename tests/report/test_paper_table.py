"""The table as it would stand in a paper, against what is written out here."""

from typing import Any

from maxsup.report import latex_table, markdown_table
from maxsup.results import Results
from maxsup.results.schema import FORMAT, MeasureFacts
from maxsup.statistics import judge, summarise

_VALUES: dict[str, dict[str, dict[int, float | None]]] = {
    "test_accuracy": {
        "baseline": {0: 0.70, 1: 0.71, 2: 0.72},
        "maxsup:alpha=0.1..0.2": {0: 0.75, 1: 0.76, 2: 0.775},
        "a_b": {0: 0.69, 1: 0.71, 2: None},
    },
    "test_nll": {
        "baseline": {0: 1.0, 1: 1.1, 2: 1.2},
        "maxsup:alpha=0.1..0.2": {0: 0.9, 1: 0.9, 2: 0.9},
        "a_b": {0: 1.0, 1: 1.0, 2: None},
    },
    "test_brier": {},
}


def made_up(contrasts: list[tuple[str, str]]) -> Results:
    def facts(name: str, label: str, better: Any, *, percent: bool, headline: bool) -> MeasureFacts:
        return MeasureFacts(
            name=name,
            label=label,
            help="",
            better=better,
            percent=percent,
            digits=2 if percent else 3,
            split="test",
            headline=headline,
            bounds=[0.0, 1.0] if percent else [0.0, None],
        )

    labels = {
        "baseline": "Baseline",
        "maxsup:alpha=0.1..0.2": "MaxSup, α 0.1 → 0.2",
        "a_b": "[A_b] & 100 % | *x*",
    }
    results: Any = {
        "format": FORMAT,
        "data": {"name": "my_pets #1", "label_noise": 0.4},
        "methods": [{"name": name, "label": label} for name, label in labels.items()],
        "baseline": "baseline",
        "seeds": [0, 1, 2],
        "measures": [
            facts("test_accuracy", "Accuracy", "higher", percent=True, headline=True),
            facts("test_nll", "NLL", "lower", percent=False, headline=True),
            facts("test_brier", "Brier score", "lower", percent=False, headline=False),
        ],
        "summary": {
            name: summarise(values, "baseline") for name, values in _VALUES.items() if values
        },
        "margin": 0.005,
        "contrasts": judge(_VALUES["test_accuracy"], contrasts, margin=0.005),
    }
    return results  # type: ignore[no-any-return]


ALL = [
    ("maxsup:alpha=0.1..0.2", "baseline"),
    ("a_b", "baseline"),
    ("maxsup:alpha=0.1..0.2", "a_b"),
]
LATEX = r"""% Needs \usepackage{booktabs}.
\begin{table}
\centering
\caption{my\_pets \#1, 40 \% label noise: mean $\pm$ standard deviation over 3 seeds. $\Delta$: difference to Baseline. Differences (Accuracy) are paired over seeds, with 95 \% intervals, simultaneous over 3 comparisons: beyond 0 better or worse, within $\pm$0.5 points the same, else undecided. MaxSup, $\alpha$ 0.1 $\to$ 0.2 against [A\_b] \& 100 \% \textbar{} *x*: +5.50, undecided.}
\begin{tabular}{lcccc}
\toprule
Method & Accuracy, \% $\uparrow$ & $\Delta$ [95 \% interval] & Conclusion & NLL $\downarrow$ \\
\midrule
Baseline & 71.00 $\pm$ 1.00 & -- & -- & 1.100 $\pm$ 0.100 \\
MaxSup, $\alpha$ 0.1 $\to$ 0.2 & 76.17 $\pm$ 1.26 & +5.17 [+3.89, +6.44] & better & 0.900 $\pm$ 0.000 \\
{[}A\_b] \& 100 \% \textbar{} *x* & 70.00 $\pm$ 1.41 (without seed 2) & $-$0.50 & undecided & 1.000 $\pm$ 0.000 (without seed 2) \\
\bottomrule
\end{tabular}
\end{table}
"""  # noqa: E501
MARKDOWN = r"""| Method | Accuracy, % ↑ | Δ [95 % interval] | Conclusion | NLL ↓ |
| --- | ---: | ---: | ---: | ---: |
| Baseline | 71.00 ± 1.00 | – | – | 1.100 ± 0.100 |
| MaxSup, α 0.1 → 0.2 | 76.17 ± 1.26 | +5.17 [+3.89, +6.44] | better | 0.900 ± 0.000 |
| [A\_b] & 100 % \| \*x\* | 70.00 ± 1.41 (without seed 2) | −0.50 | undecided | 1.000 ± 0.000 (without seed 2) |

my\_pets \#1, 40 % label noise: mean ± standard deviation over 3 seeds. Δ: difference to Baseline. Differences (Accuracy) are paired over seeds, with 95 % intervals, simultaneous over 3 comparisons: beyond 0 better or worse, within ±0.5 points the same, else undecided. MaxSup, α 0.1 → 0.2 against [A\_b] & 100 % \| \*x\*: +5.50, undecided.
"""  # noqa: E501


def test_latex_table_is_one_that_a_paper_can_take() -> None:
    assert latex_table(made_up(ALL)) == LATEX


def test_markdown_table_is_one_that_a_readme_can_take() -> None:
    assert markdown_table(made_up(ALL)) == MARKDOWN


def test_table_has_no_empty_columns_where_nothing_is_compared_with_the_baseline() -> None:
    for table in (latex_table, markdown_table):
        text = table(made_up([("a_b", "maxsup:alpha=0.1..0.2")]))
        assert "Conclusion" not in text
        assert "difference to Baseline" not in text
        assert "5.50, undecided" in text


def test_tables_of_every_study_have_as_many_cells_as_columns(variant: Results) -> None:
    cells = 1 + 2 + sum(each["headline"] or not k for k, each in enumerate(variant["measures"]))
    cells += any(run["status"] == "failed" for run in variant["runs"])
    rows = [line for line in latex_table(variant).splitlines() if line.endswith(r" \\")]
    assert len(rows) == 1 + len(variant["methods"])
    assert {len(row.replace(r"\&", "").split("&")) for row in rows} == {cells}
    lines = [line for line in markdown_table(variant).splitlines() if line.startswith("| ")]
    assert len(lines) == 2 + len(variant["methods"])
    assert {len(line.replace(r"\|", "").split("|")) for line in lines} == {cells + 2}
