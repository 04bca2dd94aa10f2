"""The page's words, explained where they stand: the measures, and those of its tables."""

from typing import NamedTuple

from markupsafe import Markup

from maxsup.report._templates import render_template
from maxsup.results import Results


class Word(NamedTuple):
    """A word of the page, and what it means there."""

    name: str
    title: str
    text: str


def words_of(results: Results) -> list[Word]:
    """The words that the verdict and the tables are made of."""
    primary = results["measures"][0]
    scale, unit = (100, " points") if primary["percent"] else (1, "")
    margin = f"{scale * results['margin']:.3g}{unit}"
    count = len(results["contrasts"])
    together = (
        f" The {count} of the primary measure hold the truth all together in 95 of 100 such studies"
        if count > 1
        else " It holds the truth in 95 of 100 such studies"
    )
    return [
        Word(
            "seed",
            "Seed",
            "the number that decides the initial weights, the order of the images and their "
            "augmentation. All methods are trained with the same seeds, so they are compared pair "
            "by pair.",
        ),
        Word(
            "difference",
            "Difference",
            "the method minus what it is compared with, seed by seed, and of these the mean. From "
            "90 % to 91 % is one point.",
        ),
        Word(
            "interval",
            "95 % interval",
            f"where the difference would lie if there were very many seeds.{together}, where the "
            "differences are near enough to normal.",
        ),
        Word(
            "margin",
            "Margin",
            f"the largest difference that does not matter, here {margin}; --margin sets another.",
        ),
        Word(
            "conclusion",
            "Conclusion",
            "better or worse: the whole interval lies beyond 0. The same: it lies within the "
            f"margin of ±{margin}. Undecided: neither, so either may still be true; it does not "
            "mean that there is no difference.",
        ),
        Word(
            "explored",
            "To explore",
            "all measures but the primary one. With so many of them some differ by chance; what "
            "they suggest is to be asked again with new seeds.",
        ),
    ]


def render_explanations(results: Results) -> Markup:
    """What every word and every measure of the page opens when it is asked for."""
    return render_template(
        "explained.html.j2", {"measures": results["measures"], "words": words_of(results)}
    )
