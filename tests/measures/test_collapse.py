import math

import pytest
import torch

from maxsup.measures import (
    Collapse,
    FeatureMoments,
    LogitCurvature,
    collapse_of_moments,
    entropy_rank,
    layer_spectrum,
    logit_conditions,
    nearest_class_mean,
    neural_collapse,
)

SCALARS = (
    *("nc1", "cdnv", "equinorm", "equiangular", "angle_std", "self_duality"),
    *("self_duality_cosine", "vci", "condition_number", "rank", "rank_fraction"),
)


def draw(seed=0, sizes=(7, 12, 9, 5), dim=6, spread=0.5, offset=0.0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    centres = torch.randn(len(sizes), dim, generator=generator, dtype=torch.float64)
    noise = torch.randn(len(labels), dim, generator=generator, dtype=torch.float64)
    order = torch.randperm(len(labels), generator=generator)
    weight = torch.randn(len(sizes), dim, generator=generator, dtype=torch.float64)
    features = centres[labels] + spread * noise + offset
    return features[order].to(dtype), labels[order], weight


def by_definition(features, labels, weight):
    """Sums over samples and over pairs of classes, as the formulas say, without any shift."""
    x = features.double()
    classes = labels.unique().tolist()
    count, samples, width = len(classes), len(x), x.shape[1]
    members = [x[labels == k] for k in classes]
    means = [rows.mean(dim=0) for rows in members]
    mean = x.mean(dim=0)
    within = sum((r - m).T @ (r - m) for r, m in zip(members, means, strict=True)) / samples
    between = (
        sum(len(r) * torch.outer(m - mean, m - mean) for r, m in zip(members, means, strict=True))
        / samples
    )
    total = sum(torch.outer(row - mean, row - mean) for row in x) / samples
    variances = [float((r - m).square().sum(1).mean()) for r, m in zip(members, means, strict=True)]
    middle = sum(means) / count
    about = [m - middle for m in means]
    pairs = [(i, j) for i in range(count) for j in range(count) if i != j]
    cosines = [float(torch.cosine_similarity(about[i], about[j], dim=0)) for i, j in pairs]
    norms = [float(each.norm()) for each in about]
    angle = sum(cosines) / len(pairs)
    norm = sum(norms) / count
    rows, matrix = weight.double()[classes], torch.stack(about)
    rank = int(torch.linalg.matrix_rank(between, hermitian=True))
    singular = torch.linalg.svdvals(x - mean)
    fractions = [float(each / singular.sum()) for each in singular if each > 1e-9 * singular[0]]
    entropy = math.exp(-sum(each * math.log(each) for each in fractions))
    of_between = torch.linalg.eigvalsh(between).flip(0)
    spectrum = torch.zeros(width, dtype=torch.float64)
    spectrum[: len(singular)] = singular / math.sqrt(samples)
    return {
        "nc1": float(torch.trace(within @ torch.linalg.pinv(between, hermitian=True))) / count,
        "cdnv": sum(
            (variances[i] + variances[j]) / (2 * float((means[i] - means[j]).square().sum()))
            for i, j in pairs
        )
        / len(pairs),
        "equinorm": math.sqrt(sum((n - norm) ** 2 for n in norms) / count) / norm,
        "equiangular": sum(abs(c + 1 / (count - 1)) for c in cosines) / len(pairs),
        "angle_std": math.sqrt(sum((c - angle) ** 2 for c in cosines) / len(pairs)),
        "self_duality": float((rows / rows.norm() - matrix / matrix.norm()).norm()),
        "self_duality_cosine": float(torch.cosine_similarity(rows, matrix, dim=1).mean()),
        "vci": 1 - float(torch.trace(torch.linalg.pinv(total, hermitian=True) @ between)) / rank,
        "condition_number": math.sqrt(of_between[0] / of_between[rank - 1]),
        "rank": entropy,
        "rank_fraction": entropy / min(samples - 1, width),
        "spectrum": spectrum,
    }


def check(found, expected, rel=1e-9):
    for name in SCALARS:
        assert float(getattr(found, name)) == pytest.approx(expected[name], rel=rel, abs=rel), name
        assert getattr(found, name).shape == ()
    assert torch.allclose(found.spectrum, expected["spectrum"], atol=1e-7 * rel / 1e-9)


@pytest.mark.parametrize(
    "case",
    [
        {},
        {"sizes": (3, 4), "dim": 9},  # fewer samples than features
        {"sizes": (5, 0, 8, 1), "dim": 4},  # a class without samples, one with a single one
        {"sizes": (6,) * 8, "dim": 3},  # more classes than features
        {"sizes": (20,) * 3, "dim": 5, "spread": 1e-4},  # nearly collapsed
        {"dtype": torch.float32},
        {"dtype": torch.bfloat16},
    ],
)
def test_equals_the_definitions(case):
    features, labels, weight = draw(1, **case)
    found = neural_collapse(features, labels, len(weight), weight)
    check(found, by_definition(features, labels, weight), rel=1e-8)


@pytest.mark.parametrize("sorted_by_class", [False, True])
def test_a_large_offset_costs_no_digits(sorted_by_class):
    near, labels, weight = draw(2, spread=0.05)
    # What the offset rounds away is rounded away beforehand.
    near = (near * 2**16).round() / 2**16
    order = labels.argsort() if sorted_by_class else torch.arange(len(labels))
    far = near + 1e4
    metric = Collapse(4, 6, weight)
    for part in order.split(5):
        metric.update(far[part], labels[part])
    check(metric.compute(), by_definition(near, labels, weight), rel=1e-9)


def test_batches_order_and_merging_change_nothing():
    features, labels, weight = draw(3, offset=100.0)
    whole = neural_collapse(features, labels, 4, weight)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    one, other, empty = (Collapse(4, 6, weight) for _ in range(3))
    one.update(features[order[:3]], labels[order[:3]])
    one.update(features[order[3:3]], labels[order[3:3]])
    other.update(features[order[3:]], labels[order[3:]])
    one.merge_state(empty)
    empty.merge_state(other)
    one.merge_state(empty)
    for found, expected in zip(one.compute(), whole, strict=True):
        assert torch.allclose(found, expected, rtol=1e-9, atol=1e-9)


def test_many_rows_are_taken_block_by_block(monkeypatch):
    from maxsup.measures import _blocks

    features, labels, weight = draw(4)
    whole = neural_collapse(features, labels, 4, weight)
    monkeypatch.setattr(_blocks, "_CPU_NUMBERS", 24)
    for found, expected in zip(neural_collapse(features, labels, 4, weight), whole, strict=True):
        assert torch.allclose(found, expected, rtol=1e-10, atol=1e-10)


def simplex(classes, dim):
    generator = torch.Generator().manual_seed(0)
    axes, _ = torch.linalg.qr(torch.randn(dim, classes, generator=generator, dtype=torch.float64))
    return (torch.eye(classes, dtype=torch.float64) - 1 / classes) @ axes.T


def test_a_simplex_is_complete_collapse():
    corners = simplex(5, 8)
    labels = torch.arange(5).repeat(4)
    found = neural_collapse(3 * corners[labels] + 7, labels, weight=2 * corners)
    for name in ("nc1", "cdnv", "equinorm", "equiangular", "angle_std", "self_duality", "vci"):
        assert float(getattr(found, name)) == pytest.approx(0, abs=1e-7), name
    assert float(found.self_duality_cosine) == pytest.approx(1)
    assert float(found.condition_number) == pytest.approx(1)
    assert float(found.rank) == pytest.approx(4)
    assert float(found.rank_fraction) == pytest.approx(4 / 8)
    assert int((found.spectrum > 0).sum()) == 4


def test_features_that_tell_nothing_of_their_class_are_not_collapsed():
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(4000, 8, generator=generator)
    found = neural_collapse(features, torch.arange(4000) % 4)
    assert float(found.vci) > 0.99
    assert float(found.nc1) > 100
    assert float(found.rank_fraction) > 0.99


def test_vci_does_not_change_under_linear_maps():
    features, labels, _ = draw(5)
    generator = torch.Generator().manual_seed(1)
    turned = features @ torch.randn(6, 6, generator=generator, dtype=torch.float64)
    one, other = neural_collapse(features, labels), neural_collapse(turned, labels)
    assert float(one.vci) == pytest.approx(float(other.vci), rel=1e-6)


@pytest.mark.parametrize(
    ("features", "labels"),
    [
        (torch.zeros(0, 3), torch.zeros(0).long()),
        (torch.tensor([[1.0, math.nan], [2.0, 3.0]]), torch.tensor([0, 1])),
        (torch.tensor([[1.0, math.inf], [2.0, 3.0]]), torch.tensor([0, 1])),
        (torch.ones(6, 2), torch.arange(6) % 2),
    ],
)
def test_what_does_not_exist_is_nan(features, labels):
    found = neural_collapse(features, labels, 2, torch.ones(2, features.shape[1]))
    for name in ("nc1", "vci", "equinorm", "equiangular", "self_duality", "rank"):
        assert getattr(found, name).isnan(), name


def test_a_single_class_has_a_rank_and_nothing_else():
    features, _, _ = draw(6)
    found = neural_collapse(features, torch.zeros(len(features)).long())
    missing = {name for name in SCALARS if getattr(found, name).isnan()}
    assert missing == {*SCALARS} - {"rank", "rank_fraction"}


def test_two_classes_at_one_place_are_infinitely_far_from_collapse():
    features = torch.tensor([[1.0, 2.0], [-1.0, -2.0]]).repeat(2, 1)
    found = neural_collapse(features, torch.tensor([0, 0, 1, 1]))
    assert found.cdnv == math.inf
    assert found.nc1.isnan()


def test_one_feature_and_one_class_will_do():
    metric = FeatureMoments(1, 1)
    metric.update(torch.tensor([[1.0], [3.0]]), torch.tensor([0, 0]))
    assert nearest_class_mean(torch.tensor([[9.0]]), metric.compute()).tolist() == [0]
    assert float(collapse_of_moments(metric.compute()).rank) == 1
    assert neural_collapse(torch.tensor([[1.0], [3.0]]), torch.tensor([0, 0])).spectrum.shape == (
        1,
    )


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_nearest_mean_of_all_distances(offset):
    features, labels, _ = draw(7, sizes=(7, 0, 9, 5), spread=2.0)
    metric = FeatureMoments(4, 6)
    metric.update(features + offset, labels)
    found = nearest_class_mean(features + offset, metric.compute())
    means = torch.stack(
        [features[labels == k].mean(dim=0) if k != 1 else torch.full((6,), 1e9) for k in range(4)]
    )
    expected = torch.stack([(means - row).norm(dim=1).argmin() for row in features])
    assert torch.equal(found, expected)
    assert not torch.equal(found, labels)


def test_no_mean_is_the_nearest_of_none():
    metric = FeatureMoments(3, 2)
    metric.update(torch.zeros(1, 2), torch.zeros(1).long())
    with pytest.raises(ValueError, match="features holds NaN"):
        nearest_class_mean(torch.tensor([[0.0, math.nan]]), metric.compute())
    metric.reset()
    metric.update(torch.zeros(0, 2), torch.zeros(0).long())
    with pytest.raises(ValueError, match="no class with samples"):
        nearest_class_mean(torch.zeros(1, 2), metric.compute())


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (torch.zeros(3, 6), "one row for each of the 4 classes; got 3"),
        (torch.zeros(4, 5), r"weight must have shape \(N, 6\); got \(4, 5\)"),
        (torch.zeros(4, 6).int(), "weight must be a floating-point"),
    ],
)
def test_a_weight_that_does_not_fit_is_named(weight, message):
    features, labels, _ = draw()
    with pytest.raises(ValueError, match=message):
        neural_collapse(features, labels, 4, weight)


def test_entropy_rank():
    assert float(entropy_rank(torch.tensor([3.0, 3.0, 3.0]))) == pytest.approx(3)
    assert entropy_rank(torch.zeros(3)).isnan()


@pytest.mark.parametrize("shape", [(5, 9), (9, 5), (2, 4)])
def test_spectrum_of_a_layer(shape):
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(*shape, generator=generator, dtype=torch.float64)
    common = torch.randn(shape[1], generator=generator, dtype=torch.float64)
    found = layer_spectrum(weight + 5 * common)
    gram = torch.linalg.eigvalsh((weight - weight.mean(0)).T @ (weight - weight.mean(0))).flip(0)
    most = min(shape[0] - 1, shape[1])
    values = gram[:most].sqrt()
    fractions = values / values.sum()
    assert torch.allclose(found.singular_values[:most], values)
    assert not found.singular_values[most:].any()
    rank = math.exp(-sum(float(f) * math.log(float(f)) for f in fractions))
    assert float(found.rank) == pytest.approx(rank)
    assert float(found.rank_fraction) == pytest.approx(rank / most)
    assert float(found.condition_number) == pytest.approx(float(values[0] / values[-1]))


@pytest.mark.parametrize(
    "weight", [torch.ones(3, 4), torch.ones(1, 4), torch.full((3, 4), torch.nan)]
)
def test_a_layer_without_a_spectrum(weight):
    found = layer_spectrum(weight)
    assert found.rank.isnan()
    assert found.condition_number.isnan()


@pytest.mark.parametrize("scale", [0.1, 1, 3, 40])
@pytest.mark.parametrize("classes", [2, 3, 7])
def test_conditions_are_those_of_the_loss(classes, scale):
    generator = torch.Generator().manual_seed(classes)
    logits = scale * torch.randn(9, classes, generator=generator, dtype=torch.float64)
    logits[1] = 0.0
    logits[2, 1] = logits[2, 0]  # two that are alike
    target = torch.randint(classes, (9,), generator=generator)
    found = logit_conditions(logits)
    for row, label, condition in zip(logits, target, found, strict=True):
        hessian = torch.autograd.functional.hessian(
            lambda z, label=label: torch.nn.functional.cross_entropy(z, label, label_smoothing=0.1),
            row,
        )
        eigenvalues = torch.linalg.eigvalsh(hessian)
        if eigenvalues[1] > 1e-4 * eigenvalues[-1]:  # far above the rounding of these
            assert float(condition) == pytest.approx(float(eigenvalues[-1] / eigenvalues[1]), 1e-6)
        else:
            # Too near to 0 for the oracle.
            assert float(condition) > 1e3
    parts, permuted = LogitCurvature(classes), LogitCurvature(classes)
    for part in logits.split(4):
        parts.update(part)
    permuted.update(logits.flip(0))
    assert float(parts.compute()) == pytest.approx(float(found.log().mean().exp()), rel=1e-12)
    assert float(permuted.compute()) == pytest.approx(float(parts.compute()), rel=1e-12)


@pytest.mark.parametrize("true", [0.3, 0.9, 1 - 1e-9])
def test_conditions_at_a_minimiser_of_the_unconstrained_features_model(true):
    """A simplex for the last layer, and a feature that is one of its rows."""
    classes = 5
    weight = torch.eye(classes, dtype=torch.float64) - 1 / classes
    gap = math.log(true / ((1 - true) / (classes - 1)))
    feature = gap * weight[2]
    probabilities = (weight @ feature).softmax(dim=0)
    assert float(probabilities[2]) == pytest.approx(true)
    middle = probabilities.diag() - torch.outer(probabilities, probabilities)
    eigenvalues = torch.linalg.eigvalsh(weight.T @ middle @ weight)  # of the feature's Hessian
    assert float(eigenvalues[-1] / eigenvalues[1]) == pytest.approx(classes * true, rel=1e-5)
    found = logit_conditions((weight @ feature)[None])
    assert float(found) == pytest.approx(classes * true, rel=1e-8)


def test_the_smallest_eigenvalue_may_lie_many_powers_of_ten_below():
    # With one tiny p of K it is p·K/(K − 1) at first order.
    logits = torch.tensor([[0.0, 0.0, 0.0, -200.0]], dtype=torch.float64)
    tiny = float(logits.softmax(dim=1)[0, 3])
    assert float(logit_conditions(logits)) == pytest.approx((1 / 3) / (tiny * 4 / 3), rel=1e-6)


def test_curvature_where_there_is_none():
    flat, alone, unused = LogitCurvature(3), LogitCurvature(1), LogitCurvature(3)
    flat.update(torch.tensor([[1000.0, 0.0, 0.0]]))
    alone.update(torch.zeros(2, 1))
    unused.update(torch.zeros(0, 3))
    assert flat.compute() == math.inf
    assert alone.compute().isnan()
    assert unused.compute().isnan()
    assert logit_conditions(torch.tensor([[math.nan, 0.0, 0.0]])).isnan()
