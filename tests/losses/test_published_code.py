"""The numbers that the papers' own code gives on one input, kept in ``published.json``."""

import json
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from maxsup import OnlineLabelSmoothingLoss, functional

PUBLISHED = json.loads((Path(__file__).parent / "published.json").read_text())
LOGITS = torch.tensor(PUBLISHED["logits"], dtype=torch.float64)
LABELS = torch.tensor(PUBLISHED["labels"])
CHOSEN = torch.tensor(PUBLISHED["chosen"])  # the class that each of nine positions chose
K = LOGITS.shape[1]


@pytest.mark.parametrize("variant", ["cifar", "fine-grained"])
def test_online_label_smoothing(variant):
    published = PUBLISHED[f"ols_{variant.replace('-', '_')}"]
    criterion = OnlineLabelSmoothingLoss(K, variant)
    epochs = zip(published["values"], published["soft_labels"], strict=True)
    for epoch, (value, soft_labels) in enumerate(epochs, start=1):
        logits = (LOGITS * epoch).requires_grad_()
        assert criterion(logits, LABELS).item() == pytest.approx(value, rel=1e-6)
        criterion.end_epoch()
        torch.testing.assert_close(criterion.soft_labels, torch.tensor(soft_labels))


def test_zipf_label_smoothing_by_votes():
    maps = F.one_hot(CHOSEN, K).movedim(-1, 1).double()  # (N, K, positions)
    votes = functional.dense_votes(maps)
    assert votes.sum(1).eq(CHOSEN.shape[1]).all()
    found = functional.zipf_label_smoothing_loss(LOGITS, LABELS, 1.0, votes)
    penalty = found - F.cross_entropy(LOGITS, LABELS)
    assert float(penalty) == pytest.approx(PUBLISHED["zipf_votes"], rel=1e-12)


def test_zipf_label_smoothing_by_logits():
    found = functional.zipf_label_smoothing_loss(LOGITS, LABELS, 1.0)
    penalty = found - F.cross_entropy(LOGITS, LABELS)
    assert float(penalty) == pytest.approx(PUBLISHED["zipf_logits"], rel=1e-12)


def test_dual_focal():
    found = functional.dual_focal_loss(LOGITS, LABELS, 5.0)
    assert float(found) == pytest.approx(PUBLISHED["dual_focal"], rel=1e-12)


def test_published_numbers_name_their_origin():
    assert set(PUBLISHED["origin"]) == set(PUBLISHED) - {"logits", "labels", "chosen", "origin"}
    for origin in PUBLISHED["origin"].values():
        assert "py" in origin or origin.startswith("the same")
