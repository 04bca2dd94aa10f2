"""How the numbers came about, what each measure says, and that the runs started alike."""

from typing import NamedTuple

from maxsup.report.sections._shared import StudySection, compares_backbones, finished_runs
from maxsup.results import Results

_DIGITS = 16
"""Hexadecimal digits shown of a hash."""


class _Start(NamedTuple):
    seed: int
    weights: str
    batches: str
    runs: int


def _content(results: Results) -> dict[str, object]:
    return {
        "results": results,
        "backbones": compares_backbones(results),
        "predictions": results.get("predictions"),
        "unpaired": [each for each in results["contrasts"] if "unpaired" in each],
        "several": len(results["contrasts"]) > 1,
        "smallest_p": _smallest_p(results),
        "starts": _starts(results),
    }


def _smallest_p(results: Results) -> float | None:
    """The smallest sign-flip p-value that the study's seeds allow."""
    found = [
        summary["difference"]["p_sign_flip_smallest"]
        for summary in results["summary"][results["measures"][0]["name"]].values()
        if summary["difference"] is not None
    ]
    return min((p for p in found if p is not None), default=None)


def _starts(results: Results) -> list[_Start]:
    """For each seed the two hashes that its finished runs share, and how many runs these are."""
    found: dict[int, _Start] = {}
    for run in finished_runs(results):
        prints = run["fingerprint"]
        if prints is None:
            continue
        before = found[run["seed"]].runs if run["seed"] in found else 0
        found[run["seed"]] = _Start(
            run["seed"],
            prints["initial_weights"][:_DIGITS],
            prints["batches"][:_DIGITS],
            before + 1,
        )
    return list(found.values())


MEASURED = StudySection(
    anchor="measured",
    heading="How it was measured",
    title="How it was measured",
    content=_content,
)
