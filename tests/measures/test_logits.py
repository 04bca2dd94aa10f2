import math

import numpy as np
import pytest
import torch

from maxsup.measures import LogitHistogram, logit_densities


def histogram(*batches, **options):
    metric = LogitHistogram(**options)
    for batch in batches:
        metric.update(batch)
    return metric.compute()


def test_equals_numpy():
    logits = 30 * torch.randn(500, 7, generator=torch.Generator().manual_seed(0))
    expected, _ = np.histogram(logits.double().clamp(-100, 100), bins=4000, range=(-100, 100))
    assert histogram(*logits.split(64)).tolist() == expected.tolist()


@pytest.mark.parametrize("sizes", [[25], [10, 15], [3] * 8 + [1], [20, 5], [21, 4]])
def test_takes_the_first_samples_however_they_are_divided(sizes):
    logits = torch.randn(25, 4, generator=torch.Generator().manual_seed(0))
    found = histogram(*logits.split(sizes), samples=20)
    assert torch.equal(found, histogram(logits[:20]))


def test_calling_the_metric_counts_like_update():
    logits = torch.randn(25, 4, generator=torch.Generator().manual_seed(0))
    metric = LogitHistogram(samples=20)
    for part in logits.split(6):
        metric(part)
    assert torch.equal(metric.compute(), histogram(logits[:20]))


def test_starts_anew_after_reset():
    metric = LogitHistogram(samples=2)
    metric.update(torch.zeros(5, 1))
    metric.reset()
    metric.update(torch.ones(5, 1))
    assert torch.equal(metric.compute(), histogram(torch.ones(2, 1)))


def test_a_result_stays_as_it_was():
    metric = LogitHistogram()
    metric.update(torch.zeros(1, 1))
    before = metric.compute()
    metric.update(torch.zeros(1, 1))
    assert int(before.sum()) == 1


def test_what_lies_beyond_counts_in_the_outermost_bins():
    found = histogram(torch.tensor([[-1e30, -2.1, 2.0, math.inf]]), low=-2, high=2, bins=4)
    assert found.tolist() == [2, 0, 0, 2]


def test_classes_that_are_not_available_and_nan_are_left_out():
    found = histogram(torch.tensor([[-math.inf, math.nan, 0.5]]), low=-2, high=2, bins=4)
    assert found.tolist() == [0, 0, 1, 0]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_bins_include_their_lower_end_in_every_dtype(dtype):
    found = histogram(torch.tensor([[-1.0, -0.5, 0.0, 1.0]], dtype=dtype), low=-1, high=1, bins=4)
    assert found.tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("spread", [0.01, 1.0, 40.0])
@pytest.mark.parametrize("bins", [1, 7, 120])
def test_densities_share_edges_and_hold_all_mass(spread, bins):
    generator = torch.Generator().manual_seed(0)
    one, other = (spread * torch.randn(300, 5, generator=generator) + 3 * k for k in range(2))
    counts = [histogram(one), histogram(other)]
    edges, densities = logit_densities(counts, bins)
    widths = np.diff(edges)
    assert len(widths) <= bins
    assert widths == pytest.approx(widths[0])
    for logits, fine, density in zip((one, other), counts, densities, strict=True):
        assert float(np.sum(np.array(density) * widths)) == pytest.approx(1)
        inside = logits.double().clamp(-100, 99.99).flatten()
        # The ends of the fine bins belong to one side only, to which rounding may add a value.
        expected, _ = np.histogram(inside, bins=edges)
        assert np.array(density) * widths * int(fine.sum()) == pytest.approx(expected, abs=1.01)
        assert expected.sum() == len(inside)


def test_histograms_of_several_runs_add_up():
    parts = [torch.randn(50, 3, generator=torch.Generator().manual_seed(k)) for k in range(3)]
    total = sum((histogram(part) for part in parts), torch.zeros(4000, dtype=torch.int64))
    assert logit_densities([total]) == logit_densities([histogram(torch.cat(parts))])


def test_an_empty_histogram_has_no_density():
    edges, densities = logit_densities([torch.zeros(4000).long(), histogram(torch.ones(1, 1))])
    assert densities[0] == [0.0] * (len(edges) - 1)
    assert sum(densities[1]) > 0
    assert logit_densities([torch.zeros(10).long()])[1] == [[0.0]]


def test_another_grid_keeps_its_scale():
    counts = histogram(torch.tensor([[0.25, 0.35, 0.95]]), low=0, high=1, bins=10)
    edges, [density] = logit_densities([counts], low=0, high=1)
    assert edges == pytest.approx([0.1 * k for k in range(2, 11)])
    assert density == pytest.approx([10 / 3, 10 / 3, 0, 0, 0, 0, 0, 10 / 3])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: LogitHistogram(samples=0), "samples must be a whole number, 1 or more; got 0"),
        (lambda: LogitHistogram(bins=1), "bins must be a whole number, 2 or more; got 1"),
        (lambda: LogitHistogram(low=1, high=1), "low must be below high.*low=1 and high=1"),
        (lambda: LogitHistogram(high=math.inf), "low must be below high"),
        (lambda: histogram(torch.zeros(3)), r"logits must have shape .*got \(3,\)"),
        (lambda: histogram(torch.zeros(3, 2).int()), "logits must be a floating-point tensor"),
        (lambda: logit_densities([]), "counts must be one or more histograms"),
        (lambda: logit_densities([torch.zeros(4), torch.zeros(5)]), r"\[\(4,\), \(5,\)\]"),
        (lambda: logit_densities([torch.zeros(4)], 0), "bins must be a whole number, 1 or more"),
        (lambda: logit_densities([torch.zeros(4)], low=3, high=2), "low must be below high"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
