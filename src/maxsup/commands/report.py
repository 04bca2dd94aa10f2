"""``maxsup report``: another question to the numbers of a study, without training."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import tyro

from maxsup.commands._command import Command
from maxsup.commands._options import AnalysisOptions, CommonOptions, TableOptions

if TYPE_CHECKING:
    from maxsup.results import Analysed
    from maxsup.results.schema import ImageEvidence, Run


@dataclass(frozen=True)
class Options(CommonOptions):
    """Put another question to a study's numbers: baseline, margin, contrasts, primary measure."""

    study: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DIRECTORY|FILE")]
    """The directory or URL of a study, or its results.json; nothing in it is changed."""
    page: str | None = None
    """Where the page is written; by default report-again.html in the study's directory."""
    analysis: Annotated[
        tyro.conf.OmitArgPrefixes[AnalysisOptions], tyro.conf.arg(name="Analysis", help="")
    ] = field(default_factory=AnalysisOptions)
    table: Annotated[
        tyro.conf.OmitArgPrefixes[TableOptions], tyro.conf.arg(name="Table", help="")
    ] = field(default_factory=TableOptions)


def run(options: Options) -> int:
    """Analyse again, print the table and write a page."""
    from maxsup._places import as_place
    from maxsup.commands._show_results import show_results
    from maxsup.report import write_report
    from maxsup.results import RESULTS_FILE, Analysis, analyse_again, read_contrasts, read_results

    place = as_place(options.study)
    file = place if place.name.endswith(".json") else place / RESULTS_FILE
    results = read_results(file)

    def from_outputs(runs: "list[Run]", analysed: "Analysed") -> "ImageEvidence":
        from maxsup.study import image_evidence  # takes its time, and is seldom needed

        return image_evidence(runs, analysed, file.parent)

    asked = options.analysis
    methods = [method["name"] for method in results["methods"]]
    again = analyse_again(
        results,
        Analysis(
            baseline=asked.baseline or results["baseline"],
            primary=asked.primary or results["measures"][0]["name"],
            margin=asked.margin,
            contrasts=read_contrasts(asked.contrasts, methods),
        ),
        from_outputs,
    )
    page = file.parent / "report-again.html" if options.page is None else as_place(options.page)
    write_report(again, page)
    show_results(again, page, options.table)
    return 0


COMMAND = Command(Options, run)
