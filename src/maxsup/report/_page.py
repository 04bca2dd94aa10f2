"""The page of a study: one file that needs nothing else."""

from importlib import resources
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from maxsup._files import write_text
from maxsup.report import _figures
from maxsup.results import numbers
from maxsup.results.schema import Results, Run
from maxsup.statistics import holds

CITATION = """@article{zhou2025maxsup,
  title   = {MaxSup: Overcoming Representation Collapse in Label Smoothing},
  author  = {Zhou, Yuxuan and Li, Heng and Cheng, Zhi-Qi and Yan, Xudong and Dong, Yifei and
             Fritz, Mario and Keuper, Margret},
  journal = {arXiv preprint arXiv:2502.15798},
  year    = {2025}
}"""


def write_report(results: Results, path: Path) -> None:
    """Write a study's page, atomically.

    One HTML file without script that loads nothing: readable on a phone, in the dark, in print and
    by a screen reader. Every number on it comes from ``results``.

    Args:
        results: Of :func:`maxsup.study.compare` or :func:`maxsup.results.read_results`.
        path: The file to write.

    Raises:
        OSError: It could not be written; a former page is intact.
    """
    write_text(path, render_report(results))


def render_report(results: Results) -> str:
    """The page as HTML."""
    environment = Environment(
        loader=PackageLoader("maxsup.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    style = (resources.files("maxsup.report") / "templates" / "page.css").read_text("utf-8")
    return environment.get_template("page.html.j2").render(
        results=results,
        style=Markup(style),
        labels={method["name"]: method["label"] for method in results["methods"]},
        primary=results["measures"][0],
        adjusted=numbers.several_comparisons(results),
        failed=[run for run in results["runs"] if run["status"] == "failed"],
        smallest_p=_smallest_p(results),
        starts=_starts(results["runs"]),
        legend=_figures.legend(results),
        accuracy=_figures.accuracy_pictures(results),
        curves=_figures.curve_pictures(results),
        reliability=_figures.reliability_pictures(results),
        logits=_figures.logit_pictures(results),
        projections=_figures.projection_pictures(results),
        citation=CITATION,
        holds=holds,
        number=numbers.number,
        mean_and_std=numbers.mean_and_std,
        interval=numbers.interval,
        p_value=numbers.p_value,
        name_of=numbers.name_of,
        seconds={"percent": False, "digits": 2},
    )


def _smallest_p(results: Results) -> float | None:
    """The smallest sign-flip p-value that the study's seeds allow."""
    found = [
        summary["difference"]["p_sign_flip_smallest"]
        for summary in results["summary"][results["measures"][0]["name"]].values()
        if summary["difference"] is not None
    ]
    return min((p for p in found if p is not None), default=None)


def _starts(runs: list[Run]) -> list[tuple[int, str, str, int]]:
    """By seed: the two hashes that its finished runs share, shortened, and how many those are."""
    found: dict[int, list[Run]] = {}
    for run in runs:
        if run["fingerprint"] is not None:
            found.setdefault(run["seed"], []).append(run)
    return [
        (
            seed,
            shared[0]["fingerprint"]["initial_weights"][:16],  # type: ignore[index]
            shared[0]["fingerprint"]["batches"][:16],  # type: ignore[index]
            len(shared),
        )
        for seed, shared in found.items()
    ]
