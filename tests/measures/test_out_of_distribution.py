import math

import numpy as np
import pytest
import torch
from sklearn.covariance import EmpiricalCovariance
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from maxsup.measures import OutOfDistribution, detection


def drawn(samples: int, seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Features, logits and labels, weight and bias of a last layer of 4 classes."""
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(samples, 6, generator=generator).relu() + 0.1
    layer = torch.Generator().manual_seed(99)
    weight, bias = torch.randn(4, 6, generator=layer), torch.randn(4, generator=layer)
    labels = torch.randint(4, (samples,), generator=generator)
    return features, features @ weight.T + bias, labels, weight, bias


def fitted(samples: int = 80, k: int = 5) -> OutOfDistribution:
    features, logits, labels, weight, bias = drawn(samples, 0)
    return OutOfDistribution(features, logits, labels, weight, bias, k=k)


@pytest.mark.parametrize("levels", [3, 7, 10**6])
def test_auroc_is_scikit_learns(levels: int) -> None:
    generator = torch.Generator().manual_seed(levels)
    known = torch.randint(levels, (57,), generator=generator).float() + levels / 5
    other = torch.randint(levels, (31,), generator=generator).float()
    truth = np.r_[np.ones(57), np.zeros(31)]
    expected = roc_auc_score(truth, torch.cat([known, other]).numpy())
    assert math.isclose(float(detection(known, other).auroc), expected, rel_tol=1e-12)


def test_fpr95_without_ties_counts_what_lies_above_the_threshold() -> None:
    generator = torch.Generator().manual_seed(0)
    known = torch.randn(200, generator=generator) + 1
    other = torch.randn(150, generator=generator)
    threshold = known.sort(descending=True).values[189]  # 190 of 200 are at or above it
    expected = float((other >= threshold).double().mean())
    assert math.isclose(float(detection(known, other).fpr95), expected, rel_tol=1e-12)


def test_fpr95_inside_a_group_of_ties_takes_as_large_a_part_of_the_others() -> None:
    # 19 of 20 known samples are 95 %: 18 lie above, and half of the group's two are wanted.
    known = torch.tensor([9.0] * 18 + [5.0] * 2)
    other = torch.tensor([5.0] * 3 + [1.0])
    assert float(detection(known, other).fpr95) == 1.5 / 4
    # As ties that are broken at random, a thousand times as many samples.
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(24_000, generator=generator) * 1e-3
    found = detection(known.repeat(1000) + noise[:20_000], other.repeat(1000) + noise[20_000:])
    assert abs(float(found.fpr95) - 1.5 / 4) < 0.03


def test_all_equal_scores_tell_nothing() -> None:
    found = detection(torch.zeros(40), torch.zeros(10))
    assert float(found.auroc) == 0.5
    assert math.isclose(float(found.fpr95), 0.95)


def test_infinite_scores_are_in_order_and_missing_ones_are_said() -> None:
    found = detection(torch.tensor([torch.inf, 1.0]), torch.tensor([-torch.inf, 0.0]))
    assert (float(found.auroc), float(found.fpr95)) == (1, 0)
    for known, other in (([1.0], []), ([], [1.0]), ([math.nan], [1.0])):
        missing = detection(torch.tensor(known), torch.tensor(other))
        assert missing.auroc.isnan()
        assert missing.fpr95.isnan()


def test_scores_are_those_of_their_definitions() -> None:
    features, logits, labels, weight, bias = (each.double() for each in drawn(80, 0))
    labels = labels.long()
    others, values = (each.double() for each in drawn(25, 1)[:2])
    found = OutOfDistribution(features, logits, labels, weight, bias, k=5).of(others, values)

    probabilities = values.softmax(dim=1).amax(dim=1)
    torch.testing.assert_close(found["msp"].sigmoid(), probabilities)
    torch.testing.assert_close(found["max_logit"], values.max(dim=1).values)
    torch.testing.assert_close(found["energy"], values.exp().sum(dim=1).log())

    unit = [(each / each.norm(dim=1, keepdim=True)).numpy() for each in (features, others)]
    distances, _ = NearestNeighbors(n_neighbors=5).fit(unit[0]).kneighbors(unit[1])
    torch.testing.assert_close(found["knn"], -torch.from_numpy(distances[:, -1]))

    means = torch.stack([features[labels == label].mean(dim=0) for label in range(4)])
    shared = EmpiricalCovariance(assume_centered=True).fit((features - means[labels]).numpy())
    precision = torch.from_numpy(shared.precision_)
    by_class = [torch.einsum("ni,ij,nj->n", others - mean, precision, others - mean)
                for mean in means]  # fmt: skip
    torch.testing.assert_close(found["mahalanobis"], -torch.stack(by_class).amin(dim=0))

    origin = -torch.linalg.pinv(weight) @ bias
    # Not centred on the mean: a PCA of the features and their mirror images about the origin.
    both = torch.cat([features - origin, origin - features]).numpy()
    outside = torch.from_numpy(PCA(n_components=6).fit(both).components_[3:])

    def residual(samples: Tensor) -> Tensor:
        return ((samples - origin) @ outside.T).norm(dim=1)

    scale = logits.max(dim=1).values.mean() / residual(features).mean()
    torch.testing.assert_close(found["vim"], found["energy"] - scale * residual(others))


def test_the_order_of_training_samples_never_matters() -> None:
    features, logits, labels, weight, bias = drawn(80, 0)
    others, values = drawn(25, 1)[:2]
    order = torch.randperm(80, generator=torch.Generator().manual_seed(3))
    shuffled = OutOfDistribution(features[order], logits[order], labels[order], weight, bias, k=5)
    expected = fitted().of(others, values)
    for name, scores in shuffled.of(others, values).items():
        torch.testing.assert_close(scores, expected[name], rtol=1e-9, atol=1e-9)


def test_what_a_sample_scores_does_not_depend_on_the_others_beside_it() -> None:
    others, values = drawn(25, 1)[:2]
    together = fitted().of(others, values)
    for place in (0, 24):
        alone = fitted().of(others[place : place + 1], values[place : place + 1])
        for name, score in alone.items():
            torch.testing.assert_close(score[0], together[name][place], rtol=1e-10, atol=1e-10)


def test_fewer_training_samples_than_neighbours_and_than_features() -> None:
    features, logits, labels, weight, bias = drawn(3, 0)
    scores = OutOfDistribution(features, logits, labels, weight, bias)
    found = scores.of(*drawn(5, 1)[:2])
    assert set(found) == {"msp", "max_logit", "energy", "knn", "mahalanobis", "vim"}
    assert found["knn"].isfinite().all()


def test_without_a_last_layer_there_is_no_vim() -> None:
    features, logits, labels, _, _ = drawn(30, 0)
    assert "vim" not in OutOfDistribution(features, logits, labels).of(features, logits)


def test_far_samples_are_told_from_near_ones_by_each_score_of_features() -> None:
    near, near_logits = drawn(60, 2)[:2]
    _, _, _, weight, bias = drawn(1, 0)
    far = near.clone()
    far[:, ::2] = -8
    scores = fitted()
    known, other = scores.of(near, near_logits), scores.of(far, far @ weight.T + bias)
    for name in ("knn", "mahalanobis", "vim"):
        assert float(detection(known[name], other[name]).auroc) > 0.95, name


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"features": torch.full((3, 2), math.nan)}, "features must be finite"),
        ({"labels": torch.tensor([0, 1, 2])}, "labels holds 2"),
        ({"logits": torch.zeros(4, 2)}, "of the same samples"),
        ({"weight": torch.zeros(2, 5)}, "weight must have shape"),
        ({"k": 0}, "k must be"),
    ],
)
def test_bad_input_is_named(changed: dict[str, object], message: str) -> None:
    arguments: dict[str, object] = {
        "features": torch.ones(3, 2),
        "logits": torch.zeros(3, 2),
        "labels": torch.tensor([0, 1, 1]),
        **changed,
    }
    with pytest.raises(ValueError, match=message):
        OutOfDistribution(**arguments)  # type: ignore[arg-type]


def test_scores_must_be_one_for_each_sample() -> None:
    with pytest.raises(ValueError, match="known must be floating-point of shape"):
        detection(torch.zeros(3, 2), torch.zeros(3))
