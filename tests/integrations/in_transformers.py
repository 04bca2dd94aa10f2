"""The callback in real trainings of the Trainer's; run by ``.ci/docs``, where the library is."""

import doctest
from pathlib import Path

import pytest
import torch
from torch import nn
from transformers import Trainer, TrainerCallback, TrainingArguments

import maxsup
from maxsup.integrations import transformers as integration
from maxsup.integrations.transformers import ScheduleCallback

STEPS = 8


class Samples(torch.utils.data.Dataset):
    def __len__(self) -> int:
        return 16

    def __getitem__(self, number: int) -> dict[str, object]:
        generator = torch.Generator().manual_seed(number)
        return {"x": torch.randn(4, generator=generator), "labels": number % 3}


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"logits": self.layer(x)}


class Alphas(TrainerCallback):
    """What α is in each step, and an end after some of them."""

    def __init__(self, criterion: maxsup.MaxSupLoss, stop_after: int | None = None) -> None:
        self.criterion, self.stop_after, self.seen = criterion, stop_after, []

    def on_step_begin(self, args, state, control, **kwargs):
        self.seen.append(round(float(self.criterion.alpha), 6))

    def on_step_end(self, args, state, control, **kwargs):
        control.should_training_stop = state.global_step == self.stop_after


def new_trainer(directory: Path, stop_after: int | None = None, **settings: object) -> Trainer:
    torch.manual_seed(0)
    schedule = maxsup.schedules.linear(0.1, 0.5, steps=STEPS)
    weight = torch.tensor([1.0, 2.0, 3.0])
    criterion = maxsup.MaxSupLoss(schedule, weight=weight, reduction="sum")
    arguments = TrainingArguments(
        str(directory), per_device_train_batch_size=2, gradient_accumulation_steps=2,
        num_train_epochs=2, learning_rate=0.1, use_cpu=True, report_to="none",
        disable_tqdm=True, remove_unused_columns=False, save_strategy="steps", save_steps=3,
        dataloader_pin_memory=False, **settings,
    )  # fmt: skip
    alphas = Alphas(criterion, stop_after)
    trainer = Trainer(
        Model(),
        arguments,
        train_dataset=Samples(),
        compute_loss_func=lambda outputs, labels, num_items_in_batch: (
            criterion(outputs["logits"], labels) / num_items_in_batch
        ),
        callbacks=[ScheduleCallback(criterion), alphas],
    )
    trainer.alphas, trainer.criterion = alphas, criterion
    return trainer


def test_criterion_follows_the_optimisers_steps(tmp_path: Path) -> None:
    trainer = new_trainer(tmp_path)
    trainer.train()
    assert trainer.alphas.seen == [round(0.1 + 0.05 * step, 6) for step in range(STEPS)]
    assert float(trainer.criterion.alpha) == 0.5


def test_training_that_goes_on_from_a_checkpoint_ends_as_if_it_had_not_stopped(
    tmp_path: Path,
) -> None:
    whole = new_trainer(tmp_path / "whole")
    whole.train()
    new_trainer(tmp_path / "stopped", stop_after=3).train()
    again = new_trainer(tmp_path / "stopped")
    again.train(resume_from_checkpoint=True)
    assert again.alphas.seen == whole.alphas.seen[3:]
    torch.testing.assert_close(
        again.model.state_dict(), whole.model.state_dict(), rtol=0.0, atol=0.0
    )


def test_second_training_begins_the_schedule_anew(tmp_path: Path) -> None:
    trainer = new_trainer(tmp_path)
    trainer.train()
    trainer.train()
    assert trainer.alphas.seen[STEPS:] == trainer.alphas.seen[:STEPS]


def test_class_weights_stay(tmp_path: Path) -> None:
    trainer = new_trainer(tmp_path)
    trainer.train()
    assert trainer.criterion.weight.tolist() == [1.0, 2.0, 3.0]


def test_what_cannot_be_followed_is_refused() -> None:
    with pytest.raises(ValueError, match=r"objective of maxsup.*got CrossEntropyLoss"):
        ScheduleCallback(nn.CrossEntropyLoss())
    with pytest.raises(ValueError, match="OnlineLabelSmoothingLoss learns from each epoch"):
        ScheduleCallback(maxsup.OnlineLabelSmoothingLoss(3))
    with pytest.raises(ValueError, match=r"no schedule to advance: MaxSupLoss\(alpha=0\.1"):
        ScheduleCallback(maxsup.MaxSupLoss(0.1))


def test_examples_hold() -> None:
    found = doctest.testmod(integration)
    assert (found.failed, found.attempted > 0) == (0, True)
