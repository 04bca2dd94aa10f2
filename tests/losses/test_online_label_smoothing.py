"""Soft labels learned from the model's own right answers, epoch by epoch."""

import io

import pytest
import torch
from tests.forked import ForkedProcess
from torch import distributed

from maxsup import OnlineLabelSmoothingLoss
from maxsup.functional import cross_entropy_loss, online_label_smoothing_loss

from .cases import IGNORE, assert_equals_reference, make, one_hot, reference

K = 4


def reference_of(soft_labels):
    """The objective against given soft labels, as a formula of one position."""

    def formula(z, t, w, alpha):
        rows = soft_labels.double()
        return (1.0 if w is None else t @ w) * (
            (1 - alpha) * reference.plain_cross_entropy(z, t)
            + alpha * reference.plain_cross_entropy(z, t @ rows)
        )

    def evaluate(logits, target, alpha=0.5, **options):
        return reference.evaluate(formula, logits, target, alpha, **options)

    return evaluate


def batches(count=3, size=8, seed=0):
    """Batches whose labels are right about half of the time."""
    generator = torch.Generator().manual_seed(seed)
    found = []
    for _ in range(count):
        logits = 2 * torch.randn(size, K, generator=generator)
        labels = torch.randint(K, (size,), generator=generator)
        right = torch.rand(size, generator=generator) < 0.5
        found.append((logits, torch.where(right, logits.argmax(1), labels)))
    return found


def mean_right_answers(parts):
    """Brute force: the mean softmax of the samples of each class that are right, or 1/K."""
    rows = [[] for _ in range(K)]
    for logits, labels in parts:
        for z, label in zip(logits, labels.tolist(), strict=True):
            if z.tolist().index(max(z.tolist())) == label:
                rows[label].append(z.double().softmax(0))
    uniform = torch.full((K,), 1 / K, dtype=torch.float64)
    return torch.stack([torch.stack(row).mean(0) if row else uniform for row in rows])


def show(criterion, parts):
    for logits, labels in parts:
        criterion(logits.clone().requires_grad_(), labels)


@pytest.mark.parametrize("shape", [(5, 4), (1, 4), (4,), (2, 4, 3), (2, 4, 2, 2)], ids=str)
@pytest.mark.parametrize("kind", ["index", "ignored", "one-hot", "soft"])
def test_online_label_smoothing_value_and_gradient_equal_the_formula(kind, shape):
    logits, target, weight = make(shape, kind)
    soft_labels = torch.rand(K, K, generator=torch.Generator().manual_seed(1)).double().softmax(1)
    soft_labels[2] = 0
    for reduction in ("none", "mean", "sum"):
        for of_classes in (None, weight):
            assert_equals_reference(
                lambda z, t, a, **options: online_label_smoothing_loss(
                    z, t, soft_labels, a, **options
                ),
                reference_of(soft_labels),
                logits,
                target,
                0.3,
                weight=of_classes,
                reduction=reduction,
            )


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_online_label_smoothing_low_precision_is_lost_in_the_logits_alone(dtype):
    logits, target, _ = make((7, 4))
    soft_labels = torch.full((K, K), 1 / K)
    assert_equals_reference(
        lambda z, t: online_label_smoothing_loss(z, t, soft_labels),
        reference_of(soft_labels),
        logits.to(dtype),
        target,
    )


def test_online_label_smoothing_soft_labels_of_other_size():
    logits, target, _ = make((5, 4))
    with pytest.raises(ValueError, match=r"soft_labels.*\(4, 4\).*\(3, 3\)"):
        online_label_smoothing_loss(logits, target, torch.zeros(3, 3))


def test_online_label_smoothing_first_epoch_has_no_soft_part_and_the_second_has_that_of_the_first():
    criterion = OnlineLabelSmoothingLoss(K)
    parts = batches()
    for logits, labels in parts:
        expected = cross_entropy_loss(logits, labels) / 2
        torch.testing.assert_close(criterion(logits, labels), expected)
    criterion.end_epoch()
    soft_labels = mean_right_answers(parts)
    torch.testing.assert_close(criterion.soft_labels.double(), soft_labels, rtol=1e-6, atol=1e-7)
    logits, labels = parts[0]
    torch.testing.assert_close(
        criterion(logits, labels).double(),
        online_label_smoothing_loss(logits.double(), labels, soft_labels),
        rtol=1e-6,
        atol=0,
    )


def test_online_label_smoothing_epoch_stands_for_itself():
    criterion = OnlineLabelSmoothingLoss(K)
    for seed in range(3):
        parts = batches(seed=seed)
        show(criterion, parts)
        criterion.end_epoch()
        expected = mean_right_answers(parts).float()
        torch.testing.assert_close(criterion.soft_labels, expected)
        assert torch.count_nonzero(criterion.sums) == 0
        assert torch.count_nonzero(criterion.correct) == 0


def test_online_label_smoothing_class_without_a_right_answer_is_spread_evenly():
    criterion = OnlineLabelSmoothingLoss(K)
    logits = torch.tensor([[3.0, 0.0, 0.0, 0.0], [3.0, 0.0, 0.0, 0.0]])
    show(criterion, [(logits, torch.tensor([0, 1]))])
    criterion.end_epoch()
    torch.testing.assert_close(criterion.soft_labels[0], logits[0].softmax(0))
    assert torch.equal(criterion.soft_labels[1:], torch.full((3, K), 1 / K))


def test_online_label_smoothing_fine_grained_variant():
    criterion = OnlineLabelSmoothingLoss(K, "fine-grained")
    assert torch.equal(criterion.soft_labels, torch.full((K, K), 1 / K))
    logits, labels, _ = make((6, K))
    hard = cross_entropy_loss(logits, labels)
    soft = cross_entropy_loss(logits, torch.full_like(logits, 1 / K))
    torch.testing.assert_close(criterion(logits, labels).double(), hard + soft)

    sure, unsure = torch.tensor([[9.0, 0.0, 0.0, 0.0]]), torch.tensor([[1.0, 0.0, 0.0, 0.0]])
    first, second = OnlineLabelSmoothingLoss(K, "fine-grained"), OnlineLabelSmoothingLoss(K)
    for criterion in (first, second):
        for shown in (sure, unsure):
            show(criterion, [(shown, torch.tensor([0]))])
            criterion.end_epoch()
    torch.testing.assert_close(first.soft_labels[0], sure[0].softmax(0))  # kept: it had reached .88
    torch.testing.assert_close(second.soft_labels[0], unsure[0].softmax(0))


def test_online_label_smoothing_evaluation_counts_nothing():
    criterion = OnlineLabelSmoothingLoss(K)
    logits, labels = batches(1)[0]
    with torch.no_grad():
        criterion(logits, labels)
    criterion.eval()
    criterion(logits.requires_grad_(), labels)
    assert float(criterion.correct.sum()) == 0
    criterion.train()
    criterion(logits, labels)
    assert float(criterion.correct.sum()) > 0


def test_online_label_smoothing_ignored_positions_and_broken_rows_are_not_counted():
    criterion = OnlineLabelSmoothingLoss(K)
    logits = torch.eye(K) * 5
    logits[2, 2] = torch.nan
    labels = torch.tensor([0, IGNORE, 2, 3])
    show(criterion, [(logits, labels)])
    assert criterion.correct.tolist() == [1, 0, 0, 1]
    assert bool(criterion.sums.isfinite().all())


def test_online_label_smoothing_dense_input_counts_every_position():
    dense, flat = OnlineLabelSmoothingLoss(K), OnlineLabelSmoothingLoss(K)
    logits, labels, _ = make((2, K, 3, 2), "ignored")
    show(dense, [(logits, labels)])
    show(flat, [(logits.movedim(1, -1).reshape(-1, K), labels.flatten())])
    assert torch.equal(dense.correct, flat.correct)
    torch.testing.assert_close(dense.sums, flat.sums)


def test_online_label_smoothing_mixed_target_counts_for_its_larger_part():
    mixed, plain = OnlineLabelSmoothingLoss(K), OnlineLabelSmoothingLoss(K)
    logits, labels = batches(1)[0]
    target = 0.7 * one_hot(labels, K) + 0.3 * one_hot((labels + 1) % K, K)
    show(mixed, [(logits, target)])
    show(plain, [(logits, labels)])
    assert torch.equal(mixed.correct, plain.correct)
    assert torch.equal(mixed.sums, plain.sums)


def test_online_label_smoothing_criterion_restored_in_the_middle_of_an_epoch_goes_on():
    trained, parts = OnlineLabelSmoothingLoss(K), batches(4)
    show(trained, parts[:2])
    trained.end_epoch()
    show(trained, parts[2:3])
    file = io.BytesIO()
    torch.save(trained.state_dict(), file)
    file.seek(0)
    resumed = OnlineLabelSmoothingLoss(K)
    resumed.load_state_dict(torch.load(file, weights_only=True))
    for criterion in (trained, resumed):
        show(criterion, parts[3:])
        criterion.end_epoch()
    assert torch.equal(trained.soft_labels, resumed.soft_labels)
    assert set(trained.state_dict()) == {"soft_labels", "sums", "correct"}


def test_online_label_smoothing_moved_criterion_keeps_its_sums_exact():
    criterion, parts = OnlineLabelSmoothingLoss(K), batches()
    show(criterion, parts)
    criterion.half()
    assert criterion.sums.dtype == criterion.soft_labels.dtype == torch.float32
    criterion.end_epoch()
    torch.testing.assert_close(criterion.soft_labels, mean_right_answers(parts).float())
    assert OnlineLabelSmoothingLoss(K).to("meta").sums.is_meta


def test_online_label_smoothing_compiled_it_counts_as_well():
    eager, compiled = OnlineLabelSmoothingLoss(K), OnlineLabelSmoothingLoss(K)
    run = torch.compile(compiled, fullgraph=True, backend="aot_eager")
    for logits, labels in batches():
        logits = logits.requires_grad_()
        torch.testing.assert_close(run(logits, labels), eager(logits, labels))
    torch.testing.assert_close(compiled.sums, eager.sums)
    assert torch.equal(compiled.correct, eager.correct)
    torch.compiler.reset()


@pytest.mark.parametrize("kind", ["index", "soft"])
def test_online_label_smoothing_autocast_changes_nothing(kind):
    logits, target, _ = make((7, K), kind)
    target = target.float() if kind == "soft" else target
    soft_labels = torch.rand(K, K, generator=torch.Generator().manual_seed(1)).softmax(1)
    expected = online_label_smoothing_loss(logits.float(), target, soft_labels)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(
            online_label_smoothing_loss(logits.float(), target, soft_labels), expected
        )
    on_meta = [tensor.to("meta") for tensor in (logits, target, soft_labels)]
    assert online_label_smoothing_loss(*on_meta).is_meta


def test_online_label_smoothing_bad_settings():
    with pytest.raises(ValueError, match="variant must be one of cifar, fine-grained; got 'x'"):
        OnlineLabelSmoothingLoss(K, "x")
    with pytest.raises(ValueError, match="num_classes must be at least 1; got 0"):
        OnlineLabelSmoothingLoss(0)
    with pytest.raises(ValueError, match=r"logits have 5 classes.*num_classes=4"):
        OnlineLabelSmoothingLoss(K)(torch.zeros(2, 5), torch.tensor([0, 1]))


def test_online_label_smoothing_what_it_says_of_itself():
    criterion = OnlineLabelSmoothingLoss(K)
    assert repr(criterion) == (
        "OnlineLabelSmoothingLoss(num_classes=4, variant='cifar', reduction='mean')"
    )
    assert criterion.settings() == "variant cifar"


def test_online_label_smoothing_two_processes_learn_what_one_learns_of_both(tmp_path):
    others = [
        ForkedProcess(
            save_own_half,
            (rank, str(tmp_path)),
            log=tmp_path / f"{rank}.log",
            environment={"GLOO_SOCKET_IFNAME": "lo"},
        )
        for rank in (0, 1)
    ]
    for other in others:
        assert other.wait() == 0, other.output()
    alone = OnlineLabelSmoothingLoss(K)
    show(alone, batches())
    alone.end_epoch()
    mine, theirs = (torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1))
    assert torch.equal(mine, theirs)
    torch.testing.assert_close(mine, alone.soft_labels, rtol=1e-6, atol=1e-7)


def save_own_half(rank, directory):
    distributed.init_process_group(
        "gloo", init_method=f"file://{directory}/meet", rank=rank, world_size=2
    )
    try:
        criterion = OnlineLabelSmoothingLoss(K)
        show(criterion, [(z[rank::2], y[rank::2]) for z, y in batches()])
        criterion.end_epoch()
        torch.save(criterion.soft_labels, f"{directory}/{rank}.pt")
    finally:
        distributed.destroy_process_group()
