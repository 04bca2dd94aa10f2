"""The mechanism that is recorded of every training, against sums written out in float64."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from maxsup.training import RunResult, _classification
from maxsup.training._mechanism import look_at, mechanism_figures

Run = Callable[..., RunResult]


def by_hand(logits: Tensor, labels: list[int]) -> dict[str, float]:
    """The figures from their definitions, one image and one class after the other."""
    rows = [[float(each) for each in row] for row in logits.double().tolist()]
    regularization, enhancement, gaps, confidences = 0.0, 0.0, [], []
    for row, label in zip(rows, labels, strict=True):
        for each in row:
            if each < row[label]:
                regularization += (row[label] - each) / len(row)
            elif each > row[label]:
                enhancement += (row[label] - each) / len(row)
        predicted = row.index(max(row))
        if predicted != label:
            gaps.append(row[predicted] - row[label])
            confidences.append(1 / sum(math.exp(each - row[predicted]) for each in row))
    found = {
        "train_wrong": len(gaps) / len(rows),
        "train_regularization": regularization / len(rows),
        "train_error_enhancement": enhancement / len(rows),
    }
    if gaps:
        found["train_logit_gap_wrong"] = sum(gaps) / len(gaps)
        found["train_confidence_wrong"] = sum(confidences) / len(confidences)
    return found


def figures(logits: Tensor, target: Tensor) -> dict[str, float]:
    correct, _, sums = look_at(logits, target)
    return mechanism_figures([sums.tolist()], int(correct), len(logits))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_figures_are_those_of_the_definitions(dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = (4 * torch.randn(64, 7, generator=generator)).to(dtype)
    labels = torch.randint(7, (64,), generator=generator)
    assert figures(logits, labels) == pytest.approx(by_hand(logits, labels.tolist()), rel=1e-5)


def test_both_terms_add_up_to_the_penalty_of_label_smoothing() -> None:
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(32, 5, generator=generator, dtype=torch.float64)
    labels = torch.randint(5, (32,), generator=generator)
    found = figures(logits, labels)
    penalty = (logits[torch.arange(32), labels] - logits.mean(dim=1)).mean()
    assert found["train_regularization"] + found["train_error_enhancement"] == pytest.approx(
        float(penalty), rel=1e-5
    )
    assert found["train_error_enhancement"] < 0 < found["train_regularization"]


def test_nothing_is_enhanced_where_nothing_is_wrong() -> None:
    """Exactly 0, and no figure of images that there are not."""
    logits = 1e3 * torch.randn(50, 9, generator=torch.Generator().manual_seed(2))
    found = figures(logits, logits.argmax(dim=1))
    assert found["train_error_enhancement"] == found["train_wrong"] == 0
    assert set(found) == {"train_wrong", "train_regularization", "train_error_enhancement"}


def test_true_class_of_a_mixed_target_is_its_larger_part() -> None:
    logits = torch.tensor([[1.0, 3.0, 0.0], [2.0, 0.0, 1.0]])
    mixed = torch.tensor([[0.6, 0.4, 0.0], [0.5, 0.5, 0.0]])
    assert figures(logits, mixed) == figures(logits, torch.tensor([0, 0]))


def test_equal_logits_at_the_top_count_as_argmax_has_it() -> None:
    logits = torch.tensor([[2.0, 2.0, 0.0]])
    assert figures(logits, torch.tensor([0]))["train_wrong"] == 0
    wrong = figures(logits, torch.tensor([1]))
    assert (wrong["train_wrong"], wrong["train_logit_gap_wrong"]) == (1, 0)


@pytest.mark.parametrize("accumulate", [1, 2])
def test_history_holds_what_the_steps_saw(
    run_training: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, accumulate: int
) -> None:
    seen: list[tuple[Tensor, Tensor]] = []

    def watched(logits: Tensor, target: Tensor) -> object:
        seen.append((logits.clone(), target.clone()))
        return look_at(logits, target)

    monkeypatch.setattr(_classification, "look_at", watched)
    result = run_training(tmp_path, epochs=1, method="label-smoothing", accumulate=accumulate)
    logits, labels = (torch.cat(parts) for parts in zip(*seen, strict=True))
    (row,) = result.history
    expected = by_hand(logits, labels.tolist())
    assert {name: row[name] for name in expected} == pytest.approx(expected, rel=1e-5)
    assert row["train_wrong"] == pytest.approx(1 - row["train_accuracy"])
    # 40 % of the labels are wrong, so there is something to enhance.
    assert row["train_error_enhancement"] < -0.01
