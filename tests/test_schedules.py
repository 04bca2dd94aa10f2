import math
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maxsup.schedules import constant, cosine, linear

searched = settings(deadline=None, derandomize=True)
weights = st.floats(0, 1)
lengths = st.integers(1, 10_000)
counts = st.integers(0, 20_000)
RAMPS = pytest.mark.parametrize("ramp", [linear, cosine])


@searched
@given(weights, counts)
def test_constant(value, count):
    assert constant(value)(count) == value


@searched
@given(weights, weights, lengths, counts)
def test_linear_is_its_formula(start, end, steps, count):
    share = min(count / steps, 1)
    found = linear(start, end, steps=steps)(count)
    assert found == pytest.approx((1 - share) * start + share * end, abs=1e-12)


@searched
@given(weights, weights, lengths, counts)
def test_cosine_is_its_formula(start, end, steps, count):
    share = math.sin(math.pi / 2 * min(count / steps, 1)) ** 2
    found = cosine(start, end, steps=steps)(count)
    assert found == pytest.approx((1 - share) * start + share * end, abs=1e-12)


def test_cosine_is_steepest_half_way():
    schedule = cosine(0.0, 1.0, steps=4)
    first, second, third, last = (schedule(t + 1) - schedule(t) for t in range(4))
    assert first == pytest.approx(last)
    assert second == pytest.approx(third)
    assert second > 2 * first


@RAMPS
@searched
@given(start=weights, end=weights, steps=lengths)
def test_schedule_s_ends(ramp, start, end, steps):
    schedule = ramp(start, end, steps=steps)
    assert schedule(0) == start
    for count in (steps, steps + 1, 100 * steps):
        assert schedule(count) == pytest.approx(end, abs=1e-15)


@RAMPS
@searched
@given(start=weights, end=weights, steps=st.integers(1, 60), every=st.integers(1, 70))
def test_schedule_never_turns_back_and_stays_between_the_ends(ramp, start, end, steps, every):
    schedule = ramp(start, end, steps=steps, every=every)
    values = [schedule(count) for count in range(steps + every + 1)]
    assert values == sorted(values, reverse=start > end)
    low, high = sorted((start, end))
    assert min(values) >= low - 1e-15
    assert max(values) <= high + 1e-15


@RAMPS
@searched
@given(steps=lengths, every=st.integers(1, 500), count=counts)
def test_schedule_changes_only_at_multiples(ramp, steps, every, count):
    coarse, fine = ramp(0.1, 0.2, steps=steps, every=every), ramp(0.1, 0.2, steps=steps)
    assert coarse(count) == fine(count - count % every)


@pytest.mark.parametrize(("epochs", "steps_per_epoch"), [(1, 1), (10, 7), (200, 391)])
def test_linear_is_the_paper_s_form_by_epochs(epochs, steps_per_epoch):
    """Appendix F: α(t) = α_0 + (α_1 − α_0)·t/T, t the epoch from 0, T the number of epochs."""
    steps = epochs * steps_per_epoch
    schedule = linear(0.1, 0.2, steps=steps, every=steps_per_epoch)
    for epoch in range(epochs):
        expected = pytest.approx(0.1 + 0.1 * epoch / epochs, abs=1e-12)
        assert schedule(epoch * steps_per_epoch) == expected
        assert schedule((epoch + 1) * steps_per_epoch - 1) == expected
    assert schedule(steps) == pytest.approx(0.2)


@pytest.mark.parametrize("name", ["steps", "every"])
@pytest.mark.parametrize("value", [0, -3, math.nan])
@RAMPS
def test_schedule_refuses_lengths_that_are_not_positive(ramp, name, value):
    with pytest.raises(ValueError, match=f"{name} must be at least 1; got {value}"):
        ramp(0.1, 0.2, **{"steps": 10, name: value})


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (constant(0.1), "0.1"),
        (constant(6e-4), "0.0006"),
        (linear(0.1, 0.2, steps=5), "0.1 → 0.2 (linear)"),
        (cosine(0.0, 1.0, steps=5), "0 → 1 (cosine)"),
    ],
    ids=str,
)
def test_schedule_in_words_and_in_a_file(schedule, words):
    assert str(schedule) == words
    restored = pickle.loads(pickle.dumps(schedule))
    assert restored == schedule
    assert restored(3) == schedule(3)
