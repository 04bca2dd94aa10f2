"""The doubt of a value over draws of test samples."""

import pytest

from maxsup.inspection._intervals import difference_of, interval_of
from maxsup.statistics import Summary


def of_one_seed(mean: float) -> Summary:
    return Summary(n=1, seeds=[0], mean=mean, std=None, difference=None)


def test_a_value_that_differs_from_draw_to_draw_has_an_interval() -> None:
    found = interval_of(of_one_seed(0.9), [0.8, 1.0, 0.9], 30)
    assert found is not None
    assert found["low"] == pytest.approx(0.9 - 1.96 * 0.1, abs=1e-4)
    assert (found["over"], found["number"]) == ("samples", 30)


def test_a_model_that_is_always_right_has_no_interval_of_width_0() -> None:
    found = interval_of(of_one_seed(1.0), [1.0] * 8, 30)
    assert found is not None
    assert (found["mean"], found["low"], found["high"]) == (1.0, None, None)


def test_two_models_that_are_always_right_have_no_interval_of_their_difference() -> None:
    one = of_one_seed(1.0)
    for same_samples in (True, False):
        found = difference_of(one, one, [1.0] * 8, [1.0] * 8, 30, same_samples=same_samples)
        assert found is not None
        assert (found["mean"], found["low"], found["high"]) == (0.0, None, None)
