"""How often a study's conclusions are wrong: the whole decision, simulated.

    python benchmarks/inference.py [--studies 4000] [--seeds 3 5 8 20] [--rivals 1 2 5 13]
        [--images 200 1000 5000] [--json inference.json]

Studies are drawn in which no method differs from another, and concluded on by the function that
concludes on real ones. Three shares are printed: studies that call any method better or worse (at
most 5 % is promised where the differences are symmetric), studies whose intervals all hold the
truth, and, in studies of a second kind where every method is truly better by exactly δ, contrasts
that are called the same. A share p of n studies is off by about √(p(1−p)/n).

A seed's methods share what the seed brings, and all rivals are compared with one baseline, so the
differences depend on one another as in a real study.

A second table is about the test images. Two methods are equally good on their population, and each
image suits one of them a little more; the test set is a sample of them. How often does the interval
over seeds hold the truth for these images, and for the population? How often does the range over
seeds and images hold that of the population?
"""

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich import box
from rich.console import Console
from rich.table import Table

from maxsup.statistics import crossed_interval, judge

Array = NDArray[np.float64]
Noise = Callable[[np.random.Generator, tuple[int, ...]], Array]

MARGIN = 0.5  # points
TEST_IMAGES = 500  # "tied": accuracies are multiples of 100/500 points
MOST_WITH_IMAGES = 2000  # studies a row, which take longer
FAILING = 0.1  # the share of runs that fail, where some do


def normal(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return generator.normal(size=shape)


def heavy_tailed(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Student's t with three degrees of freedom, scaled to a standard deviation of 1."""
    return generator.standard_t(3, size=shape) / np.sqrt(3)


def collapsing(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """One run in twenty lies ten standard deviations off, to either side."""
    far = generator.choice((-10.0, 10.0), size=shape) * (generator.random(shape) < 0.05)
    return normal(generator, shape) + far


def exchangeable(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Each method's own noise is skewed, alike in all; differences are then symmetric."""
    return generator.exponential(size=shape) - 1


def skewed(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """The rivals' noise is skewed and the baseline's, the first row, is small: so are differences.

    As where one method fails badly on some seeds and another never does.
    """
    noise = 1 - generator.exponential(size=shape)
    noise[:, 0] = 0.1 * generator.normal(size=noise[:, 0].shape)
    return noise


def unequal(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Every other rival spreads four times as far."""
    noise = normal(generator, shape)
    noise[:, 1::2] *= 4
    return noise


def tied(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Accuracies in steps of one test image, which are nearly as large as their spread."""
    step = 100 / TEST_IMAGES
    return np.round(0.2 * normal(generator, shape) / step) * step


SYMMETRIC: dict[str, Noise] = {
    "normal": normal,
    "heavy-tailed": heavy_tailed,
    "collapsing runs": collapsing,
    "skewed alike": exchangeable,
    "unequal spreads": unequal,
    "tied": tied,
}
KINDS: dict[str, tuple[Noise, float]] = {
    **{name: (noise, 0.0) for name, noise in SYMMETRIC.items()},
    "normal, failing runs": (normal, FAILING),
    "skewed (warned of)": (skewed, 0.0),
}


def draw(kind: str, studies: int, seeds: int, rivals: int, generator: np.random.Generator) -> Array:
    """Accuracies in points, shape (studies, 1 + rivals, seeds), NaN where a run failed."""
    noise, failing = KINDS[kind]
    shape = (studies, 1 + rivals, seeds)
    values = 70 + generator.normal(size=(studies, 1, seeds)) + noise(generator, shape)
    if kind == "tied":
        values = 70 + noise(generator, shape)  # what a seed brings would blur the steps
    values[generator.random(shape) < failing] = np.nan
    return values


def conclude(values: Array) -> list[tuple[bool, bool, int, int]]:
    """For each study: any called better or worse; all intervals hold 0; the same; contrasts."""
    names = [f"method-{row}" for row in range(values.shape[1])]
    contrasts = [(name, names[0]) for name in names[1:]]
    found = []
    for study in values:
        by_seed = {
            name: dict(enumerate(row)) for name, row in zip(names, study.tolist(), strict=True)
        }
        judged = judge(by_seed, contrasts, margin=MARGIN)
        found.append(
            (
                any(each["conclusion"] in ("better", "worse") for each in judged),
                all(
                    each["low"] is None or each["low"] <= 0 <= (each["high"] or 0.0)
                    for each in judged
                ),
                sum(each["conclusion"] == "same" for each in judged),
                len(judged),
            )
        )
    return found


def simulate(kind: str, studies: int, seeds: int, rivals: int) -> dict[str, object]:
    """One row of the table."""
    generator = np.random.default_rng([seeds, rivals, sum(map(ord, kind))])
    values = draw(kind, studies, seeds, rivals, generator)
    nothing = np.array(conclude(values))
    # Truly better by δ, with so little noise that the interval could lie within ±δ at all.
    centre = np.nanmean(values)
    small = centre + (values - centre) * 0.1
    small[:, 1:] += MARGIN
    shifted = np.array(conclude(small))
    return {
        "differences": kind,
        "seeds": seeds,
        "rivals": rivals,
        "studies": studies,
        "decided": float(nothing[:, 0].mean()),
        "covered": float(nothing[:, 1].mean()),
        "same": float(shifted[:, 2].sum() / shifted[:, 3].sum()),
    }


def simulate_images(studies: int, seeds: int, images: int) -> dict[str, object]:
    """One row of the table on test images; each image is right where a latent number is above 0."""
    from scipy import special

    generator = np.random.default_rng([seeds, images])
    held = np.zeros((studies, 3))
    for study in range(studies):
        easy = generator.normal(1.5, 1.5, size=images)
        suited = easy + generator.normal(0, 0.5, size=(2, images))  # to each method
        luck = generator.normal(0, 0.1, size=(2, seeds, 1))  # of each training
        noise = generator.normal(size=(2, seeds, images))  # of each prediction
        right = (suited[:, None] + luck + noise > 0).astype(float)
        of_these = special.ndtr(suited / np.sqrt(1.01)).mean(axis=1)
        differences = right[1] - right[0]
        by_seed = {
            name: dict(enumerate(row.mean(axis=1).tolist()))
            for name, row in zip(("first", "second"), right, strict=True)
        }
        (over_seeds,) = judge(by_seed, [("second", "first")], margin=MARGIN / 100)
        low, high = over_seeds["low"], over_seeds["high"]
        if low is None or high is None:
            held[study] = 1
            continue
        wide = crossed_interval(differences)
        held[study] = (
            low <= of_these[1] - of_these[0] <= high,
            low <= 0 <= high,
            wide[0] <= 0 <= wide[1],
        )
    these, population, crossed = held.mean(axis=0).tolist()
    return {
        "seeds": seeds,
        "images": images,
        "studies": studies,
        "seeds_hold_these": these,
        "seeds_hold_population": population,
        "crossed_hold_population": crossed,
    }


def image_table(rows: Sequence[dict[str, object]]) -> Table:
    """The table on test images."""
    table = Table(
        box=box.SIMPLE,
        title="Two methods equally good on the population of images: intervals that hold the truth",
        title_justify="left",
    )
    for heading in (
        "seeds",
        "test images",
        "over seeds: of these images",
        "over seeds: of the population",
        "over seeds and images",
    ):
        table.add_column(heading, justify="right")
    names = ("seeds_hold_these", "seeds_hold_population", "crossed_hold_population")
    for row in rows:
        table.add_row(
            str(row["seeds"]),
            f"{row['images']:,}",
            *(f"{100 * float(str(row[name])):.1f} %" for name in names),
        )
    return table


def read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--studies", type=int, default=4000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[3, 5, 8, 20])
    parser.add_argument("--rivals", type=int, nargs="+", default=[1, 2, 5, 13])
    parser.add_argument("--images", type=int, nargs="*", default=[200, 1000, 5000])
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--json", type=Path)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate and print the table."""
    options = read_options(arguments)
    rows = [
        simulate(kind, options.studies, seeds, rivals)
        for kind in options.kinds
        for seeds in options.seeds
        for rivals in options.rivals
    ]
    table = Table(
        box=box.SIMPLE,
        title=f"No method differs; {options.studies:,} studies a row, δ = {MARGIN} points",
        title_justify="left",
    )
    for heading in (
        "differences",
        "seeds",
        "rivals",
        "any decided",
        "all covered",
        "δ called same",
    ):
        table.add_column(heading, justify="left" if heading == "differences" else "right")
    for row in rows:
        table.add_row(
            str(row["differences"]),
            str(row["seeds"]),
            str(row["rivals"]),
            *(f"{100 * float(str(row[name])):.1f} %" for name in ("decided", "covered", "same")),
        )
    console = Console(width=100)
    console.print(table)
    of_images = [
        simulate_images(min(options.studies, MOST_WITH_IMAGES), seeds, images)
        for seeds in options.seeds
        for images in options.images
    ]
    console.print(image_table(of_images))
    if options.json:
        found = {"decisions": rows, "images": of_images}
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
