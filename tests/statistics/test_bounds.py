"""Intervals end where the measure does."""

import math

import numpy as np
import pytest

from maxsup.statistics import (
    bounds_of_difference,
    summaries_within,
    summarise,
    within_bounds,
)


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ((0.0, 1.0), (0.0, 1.0)),
        ((0.0, None), (0.0, 1.5)),
        ((None, 1.0), (-0.5, 1.0)),
        ((None, None), (-0.5, 1.5)),
    ],
)
def test_an_interval_ends_at_each_bound(bounds, expected):
    interval = {"mean": 0.5, "low": -0.5, "high": 1.5}
    found = within_bounds(interval, bounds)
    assert (found["low"], found["high"]) == expected
    assert found["mean"] == 0.5
    assert interval["low"] == -0.5


def test_no_interval_stays_none():
    assert within_bounds({"low": None, "high": None}, (0.0, 1.0)) == {"low": None, "high": None}


def test_a_difference_has_bounds_where_both_values_have():
    assert bounds_of_difference((0.0, 2.0)) == (-2.0, 2.0)
    assert bounds_of_difference((0.0, None)) == (None, None)


def test_differences_of_fractions_end_at_one():
    values = {"a": {0: 0.0, 1: 0.9}, "b": {0: 1.0, 1: 0.95}}
    whole = summarise(values, "a")
    assert whole["b"]["difference"]["high"] > 1
    found = summaries_within(whole, (0.0, 1.0))
    assert (found["b"]["difference"]["low"], found["b"]["difference"]["high"]) == (-1.0, 1.0)
    assert found["b"]["difference"]["p_t"] == whole["b"]["difference"]["p_t"]
    assert found["a"] == whole["a"]


def test_what_is_cut_off_never_held_the_truth():
    generator = np.random.default_rng(0)
    truth = 0.97
    for _ in range(200):
        draws = generator.binomial(30, truth, size=3) / 30
        half = 4.303 * draws.std(ddof=1) / math.sqrt(3)
        whole = {"low": draws.mean() - half, "high": draws.mean() + half}
        part = within_bounds(whole, (0.0, 1.0))
        assert (whole["low"] <= truth <= whole["high"]) == (part["low"] <= truth <= part["high"])
