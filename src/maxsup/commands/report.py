"""``maxsup report``: a question to the numbers of a study, or to predictions, without training."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from maxsup.commands._command import Command
from maxsup.commands._options import REPORT_FILE, AnalysisOptions, CommonOptions, TableOptions

if TYPE_CHECKING:
    from maxsup.results import Analysed, Results
    from maxsup.results.schema import ImageEvidence, Run


@dataclass(frozen=True)
class Options(CommonOptions):
    """Ask a study's numbers again, or judge the predictions of any other program."""

    study: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DIRECTORY|FILE")]
    """The directory or URL of a study, or its results.json; or predictions of any program, as
    METHOD/seed-N.npz (.safetensors, .parquet, .csv), or in one .parquet or .csv. Nothing there is
    changed."""
    out: str | None = None
    """Where the page and the results are written; of predictions, by default a directory beside
    them that ends in -report. Of a study, the page alone is written unless this is said."""
    page: str | None = None
    """Where the page alone is written; of a study, by default its report-again.html."""
    unpaired: bool = False
    """Pair no differences over seeds, as those of one seed have nothing in common; it is weaker."""
    model_card: Annotated[str | None, tyro.conf.arg(metavar="METHOD/seed-N")] = None
    """Print the card of one of the study's models alone, for a README.md beside its weights on the
    Hugging Face Hub."""
    analysis: Annotated[
        tyro.conf.OmitArgPrefixes[AnalysisOptions], tyro.conf.arg(name="Analysis", help="")
    ] = field(default_factory=AnalysisOptions)
    table: Annotated[
        tyro.conf.OmitArgPrefixes[TableOptions], tyro.conf.arg(name="Table", help="")
    ] = field(default_factory=TableOptions)

    def __post_init__(self) -> None:
        if self.model_card is not None and (self.table.latex or self.table.markdown):
            raise ValueError(
                "--model-card stands alone on standard output, and so does the table of --latex or "
                "--markdown; name one of them."
            )


def run(options: Options) -> int:
    """Analyse again, or predictions for the first time; print the table and write a page."""
    from maxsup._places import as_place
    from maxsup.commands._results_directory import check_results_directory
    from maxsup.commands._show_results import show_results
    from maxsup.report import write_report
    from maxsup.results import write_results

    place = as_place(options.study)
    file = _results_of_study(place)
    directory = None if options.out is None else as_place(options.out)
    if file is None and directory is None:
        directory = _beside(place)
    if directory is not None:
        check_results_directory(directory)
    results = _predictions(place, options) if file is None else _again(file, options)
    card = None if options.model_card is None else _model_card(results, options.model_card)
    if directory is not None:
        directory.mkdir(parents=True, exist_ok=True)
        write_results(results, directory)
        page = directory / REPORT_FILE
    else:
        assert file is not None
        page = file.parent / "report-again.html"
    if options.page is not None:
        page = as_place(options.page)
    write_report(results, page)
    if card is None:
        show_results(results, page, options.table)
    else:
        print(card, end="")
        print(f"The page: {page}", file=sys.stderr)
    return 0


def _model_card(results: "Results", named: str) -> str:
    """The card of a run that is named as its directory in the study is, or as its method is."""
    from maxsup.data.predictions._names import method_directory
    from maxsup.report import model_card

    method, _, seed = named.strip("/").rpartition("/seed-")
    if not method or not seed.isdecimal():
        raise ValueError(f"--model-card takes METHOD/seed-N, as maxsup/seed-0; got {named!r}.")
    methods = [each["name"] for each in results["methods"]]
    known = (name for name in methods if method in (name, method_directory(name)))
    return model_card(results, next(known, method), int(seed))


def _results_of_study(place: Path) -> Path | None:
    """The results of the study that is named; none where predictions are."""
    from maxsup.data.predictions._find import holds_predictions
    from maxsup.results import RESULTS_FILE

    if place.name.endswith(".json"):
        return place
    file = place / RESULTS_FILE
    if place.is_dir() and (place / "study.json").exists():
        return file
    if place.is_dir() and file.exists() and not holds_predictions(place):
        return file
    return None


def _beside(place: Path) -> Path:
    from maxsup.study._predictions import default_output

    return default_output(place)


def _again(file: Path, options: Options) -> "Results":
    from maxsup.results import Analysis, analyse_again, read_contrasts, read_results

    asked = options.analysis
    results = read_results(file)
    methods = [method["name"] for method in results["methods"]]

    def from_outputs(runs: "list[Run]", analysed: "Analysed") -> "ImageEvidence":
        # It takes its time, and is seldom needed.
        from maxsup.study import image_evidence, kept_image_evidence

        if results.get("segmentation"):
            return kept_image_evidence(results, runs, analysed, file.parent)
        return image_evidence(runs, analysed, file.parent)

    return analyse_again(
        results,
        Analysis(
            baseline=asked.baseline or results["baseline"],
            primary=asked.primary or results["measures"][0]["name"],
            margin=asked.margin,
            contrasts=read_contrasts(asked.contrasts, methods),
            unpaired=options.unpaired,
        ),
        None if "predictions" in results else from_outputs,
    )


def _predictions(place: Path, options: Options) -> "Results":
    from maxsup.study import compare_predictions

    asked = options.analysis
    return compare_predictions(
        place,
        baseline=asked.baseline,
        primary=asked.primary,
        margin=asked.margin,
        contrasts=asked.contrasts,
        unpaired=options.unpaired,
        command=options.common.command_line,
    )


COMMAND = Command(Options, run)
