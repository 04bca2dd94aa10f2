"""What a study's numbers say, in words."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast

from maxsup.results._also import also_differs
from maxsup.results._analysis import Analysed, Analysis, analyse
from maxsup.results._contrast_words import ContrastWords
from maxsup.results._notes import (
    asked_note,
    failure_note,
    fitted_note,
    guessing_notes,
    noise_note,
    same_note,
    scope_note,
    strength_notes,
    unfinished_note,
)
from maxsup.results._shown import shown
from maxsup.results._tuned import tuned_contrasts
from maxsup.results.schema import (
    Asked,
    DataFacts,
    ImageEvidence,
    MethodFacts,
    PredictionsFacts,
    Results,
    Run,
    Tuning,
    Verdict,
)
from maxsup.statistics import summarise


def verdict(
    data: DataFacts,
    methods: Sequence[MethodFacts],
    baseline: str,
    asked: Asked,
    seeds: Sequence[int],
    runs: Sequence[Run],
    analysed: Analysed,
    *,
    images: ImageEvidence | None = None,
    tuning: Tuning | None = None,
    predictions: PredictionsFacts | None = None,
) -> Verdict:
    """The answer in one or two sentences, and what a reader must know to weigh it."""
    labels = {method["name"]: method["label"] for method in methods}
    words = ContrastWords(labels, baseline, seeds, analysed)
    return Verdict(
        sentence=words.sentence(),
        also=also_differs(analysed, labels, runs),
        notes=[
            *asked_note(asked, labels, runs),
            *asked["left_out"],
            *strength_notes(methods, tuning, predictions),
            *words.unpaired_note(),
            *words.procedure_note(),
            *words.contrast_notes(data["test"]),
            *noise_note(data),
            *fitted_note(labels, runs),
            *unfinished_note(labels, runs),
            *failure_note(labels, runs, analysed.contrasts),
            *guessing_notes(data, runs),
            *same_note(labels, baseline, runs, predictions),
            *scope_note(seeds, data),
            *words.image_notes(images),
            *data["notes"],
        ],
    )


def analyse_again(
    results: Results,
    analysis: Analysis,
    images: Callable[[list[Run], Analysed], ImageEvidence] | None = None,
) -> Results:
    """The same numbers under another question: another baseline, margin, contrasts or measure.

    Args:
        results: The results of a study; they are not changed.
        analysis: What is asked.
        images: Tells what the test images add, from the runs' outputs; asked where contrasts or
            primary measure are others, as what the results say of that is kept otherwise.

    Raises:
        ValueError: The primary measure does not exist or has no better direction, the margin is not
            more than 0, or a contrast or the baseline names another method.

    Example:
        >>> from maxsup.results import read_results
        >>> results = read_results("runs/digits/results.json")  # doctest: +SKIP
        >>> stricter = analyse_again(results, Analysis("baseline", margin=0.2))  # doctest: +SKIP
    """
    methods = [method["name"] for method in results["methods"]]
    tuning = results.get("tuning")
    if tuning is not None and not analysis.contrasts:
        contrasts = tuned_contrasts(tuning, methods, analysis.baseline)
        analysis = replace(analysis, contrasts=contrasts)
    analysed = analyse(results["runs"], results["measures"], methods, analysis)
    evidence = _same_evidence(results, analysed)
    if evidence is None and images is not None:
        evidence = images(results["runs"], analysed)
    timed: dict[str, dict[int, float | None]] = {method: {} for method in methods}
    for row in results["timings"]["runs"]:
        timed[row["method"]][row["seed"]] = row["seconds_per_epoch"]
    changed = {
        "baseline": analysis.baseline,
        "measures": analysed.measures,
        "summary": analysed.summary,
        "margin": analysed.margin,
        "contrasts": analysed.contrasts,
        "images": evidence,
        "verdict": verdict(
            results["data"],
            results["methods"],
            analysis.baseline,
            results["asked"],
            results["seeds"],
            results["runs"],
            analysed,
            images=evidence,
            tuning=tuning,
            predictions=results.get("predictions"),
        ),
        "timings": {**results["timings"], "seconds_per_epoch": summarise(timed, analysis.baseline)},
    }
    return shown(cast(Results, {**results, **changed}))


def _same_evidence(results: Results, analysed: Analysed) -> ImageEvidence | None:
    """What was told of the test images, unless another question was asked then."""
    asked = [(each["method"], each["against"]) for each in analysed.contrasts]
    before = [(each["method"], each["against"]) for each in results["contrasts"]]
    evidence = results.get("images")
    if evidence is None or evidence["measure"] != analysed.measures[0]["name"] or asked != before:
        return None
    return evidence
