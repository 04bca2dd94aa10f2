"""Seeds and images together, against every resample that there is, and McNemar's test."""

import itertools
import math

import numpy as np
import pytest
from numpy.typing import NDArray

from maxsup.statistics import crossed_interval, crossed_variance, judge, mcnemar


def draw(seeds: int, images: int, seed: int = 0) -> NDArray[np.float64]:
    """Differences with a part of the seed, a part of the image, and a part of both."""
    rng = np.random.default_rng(seed)
    return (
        rng.normal(size=(seeds, 1)) + rng.normal(size=images) + rng.normal(size=(seeds, images)) + 1
    )


def test_variance_is_that_of_all_resamples_that_there_are() -> None:
    """27 draws of the seeds by 256 of the images, every one as likely as another."""
    values = draw(3, 4)
    means = [
        np.mean([[values[s, i] for i in images] for s in seeds])
        for seeds in itertools.product(range(3), repeat=3)
        for images in itertools.product(range(4), repeat=4)
    ]
    assert len(means) == 27 * 256
    assert sum(crossed_variance(values)) == pytest.approx(np.var(means), rel=1e-10)


def test_images_that_bring_nothing_leave_the_interval_over_seeds() -> None:
    """The same conclusions as with the seeds alone, adjusted likewise."""
    per_seed = np.array([0.01, 0.02, 0.015, 0.03])
    values = np.repeat(per_seed[:, None], 50, axis=1)
    accuracy = {
        "a": dict.fromkeys(range(4), 0.0),
        "b": dict(enumerate(per_seed.tolist())),
        "c": dict.fromkeys(range(4), 0.0),
    }
    found, _ = judge(accuracy, [("b", "a"), ("b", "c")], margin=0.005)
    low, high = crossed_interval(values, comparisons=2)
    assert (low, high) == pytest.approx((found["low"], found["high"]))


def test_half_width_from_mean_squares() -> None:
    """Of the two-way layout without repetition, as textbooks have it."""
    from scipy import stats

    values = draw(5, 60, seed=1)
    seeds, images = values.shape
    rows, columns = values.mean(axis=1), values.mean(axis=0)
    of_rows = images * np.var(rows, ddof=1)
    of_columns = seeds * np.var(columns, ddof=1)
    rest = values - rows[:, None] - columns + values.mean()
    of_rest = (rest**2).sum() / ((seeds - 1) * (images - 1))
    half = math.sqrt(
        stats.t.ppf(0.975, 4) ** 2 * of_rows / values.size
        + stats.t.ppf(0.975, 59) ** 2 * (of_columns - of_rest) / values.size
    )
    low, high = crossed_interval(values)
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half))


def test_never_narrower_than_over_the_seeds_alone() -> None:
    from scipy import stats

    for seed in range(30):
        rng = np.random.default_rng(seed)
        values = rng.choice([-1.0, 0.0, 1.0], size=(4, 25))
        low, high = crossed_interval(values, comparisons=3)
        error = values.mean(axis=1).std(ddof=1) / 2
        assert high - low >= 2 * stats.t.ppf(1 - 0.025 / 3, 3) * error - 1e-12


def test_order_of_seeds_and_images_plays_no_part() -> None:
    values = draw(4, 30)
    rng = np.random.default_rng(3)
    shuffled = values[rng.permutation(4)][:, rng.permutation(30)]
    assert crossed_interval(shuffled) == pytest.approx(crossed_interval(values))


def test_more_seeds_do_not_make_up_for_few_images() -> None:
    """What the images bring stays, however many seeds there are."""
    rng = np.random.default_rng(4)
    of_images = rng.normal(size=40)
    values = of_images + 0.01 * rng.normal(size=(1000, 40))
    low, high = crossed_interval(values)
    error = of_images.std(ddof=1) / math.sqrt(40)
    assert high - low == pytest.approx(2 * 2.0227 * error, rel=0.01)


@pytest.mark.parametrize("shape", [(1, 5), (5, 1), (5,), (2, 3, 4)])
def test_too_little_to_resample_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="differences must be finite numbers of two seeds"):
        crossed_interval(np.zeros(shape))


def test_what_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="differences must be finite"):
        crossed_interval([[0.0, math.nan], [0.0, 1.0]])
    with pytest.raises(ValueError, match="comparisons must be 1 or more; got 0"):
        crossed_interval(draw(2, 2), comparisons=0)


@pytest.mark.parametrize(("only_first", "only_second"), [(0, 0), (3, 3), (9, 2), (1, 12), (40, 61)])
def test_mcnemar_against_every_toss_of_the_coin(only_first: int, only_second: int) -> None:
    apart = only_first + only_second
    first = [True] * only_first + [False] * only_second + [True, False, True]
    second = [False] * only_first + [True] * only_second + [True, False, True]
    tail = sum(math.comb(apart, k) for k in range(min(only_first, only_second) + 1))
    found = mcnemar(first, second)
    assert found[:2] == (only_first, only_second)
    assert found.p == pytest.approx(min(1.0, 2 * tail / 2**apart))
    assert mcnemar(second, first).p == found.p


def test_mcnemar_of_different_images_is_refused() -> None:
    with pytest.raises(ValueError, match="two rows of the same length"):
        mcnemar([True, False], [True])
