"""What votes and ranks are; its value and gradient are tested with the other objectives."""

import pytest
import torch

from maxsup import ZipfLabelSmoothingLoss
from maxsup.functional import dense_votes, zipf_label_smoothing_loss

from .cases import assert_equals_reference, make, reference


@pytest.mark.parametrize("shape", [(5, 4), (4,), (1, 2), (3, 1), (2, 4, 3)], ids=str)
@pytest.mark.parametrize("kind", ["index", "ignored", "one-hot", "soft"])
def test_zipf_s_ranks_are_those_of_the_votes(kind, shape):
    logits, target, weight = make(shape, kind)
    votes = torch.randint(4, shape, generator=torch.Generator().manual_seed(2))  # many ties

    def expected(z, t, alpha, **options):
        # The votes stand beside the logits in the reference, which sees one position at a time.
        flat = z.unsqueeze(0) if z.dim() == 1 else z
        beside = votes.unsqueeze(0) if votes.dim() == 1 else votes
        rows = iter(beside.movedim(1, -1).reshape(-1, flat.shape[1]))
        kept = iter([True]) if t.is_floating_point() else iter((t != -100).flatten().tolist())

        def formula(z, t, w, alpha):
            row = next(rows)
            while not target.is_floating_point() and not next(kept):
                row = next(rows)
            return reference.zipf(z, t, w, alpha, row)

        return reference.evaluate(formula, z, t, alpha, **options)

    assert_equals_reference(
        lambda z, t, alpha, **options: zipf_label_smoothing_loss(z, t, alpha, votes, **options),
        expected,
        logits,
        target,
        0.7,
        weight=weight,
        reduction="sum",
    )


def test_dense_votes_by_hand():
    maps = torch.tensor([[[[1.0, 5.0], [2.0, 0.0]], [[3.0, 4.0], [2.0, 1.0]]]])
    assert dense_votes(maps).tolist() == [[2, 2]]  # a tie is the first class's
    generator = torch.Generator().manual_seed(0)
    maps = torch.randn(3, 5, 4, 2, generator=generator)
    expected = torch.zeros(3, 5, dtype=torch.int64)
    for n in range(3):
        for i in range(4):
            for j in range(2):
                expected[n, int(maps[n, :, i, j].argmax())] += 1
    assert torch.equal(dense_votes(maps), expected)
    assert torch.equal(torch.compile(dense_votes, backend="eager", fullgraph=True)(maps), expected)


def test_zipf_module_takes_votes():
    logits, labels, _ = make((5, 4))
    votes = torch.randint(4, (5, 4), generator=torch.Generator().manual_seed(2))
    criterion = ZipfLabelSmoothingLoss(0.7)
    for given in (None, votes):
        expected = zipf_label_smoothing_loss(logits, labels, 0.7, given)
        assert torch.equal(criterion(logits, labels, given), expected)
    assert not torch.isclose(criterion(logits, labels), criterion(logits, labels, votes))


def test_zipf_refuses_bad_votes():
    logits, labels, _ = make((5, 4))
    with pytest.raises(ValueError, match=r"votes.*\(5, 4\).*\(5, 3\)"):
        zipf_label_smoothing_loss(logits, labels, votes=torch.zeros(5, 3))
    with pytest.raises(ValueError, match=r"logit_map.*\(N, K, d1, ...\).*\(5, 4\)"):
        dense_votes(logits)
