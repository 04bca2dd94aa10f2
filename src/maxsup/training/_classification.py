"""Training to classify images."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from maxsup.data import ImageData, Normalization, TrainingBatches
from maxsup.evaluation import NLL, Found, Measure
from maxsup.losses import Loss
from maxsup.recipes import Recipe
from maxsup.results import no_better_than_guessing
from maxsup.training._accelerator import execution_of
from maxsup.training._batches import build_batches
from maxsup.training._evaluate import ClassificationEvaluator
from maxsup.training._mechanism import Seen, look_at, mechanism_figures
from maxsup.training._model import build_described
from maxsup.training._settings import MeasuredOn
from maxsup.training._task import Built


@dataclass(frozen=True)
class Classification:
    """A label for each image."""

    finite: Measure = NLL

    def batches(
        self,
        recipe: Recipe,
        data: ImageData,
        normalization: Normalization,
        *,
        seed: int,
        device: torch.device,
        rank: int,
        processes: int,
    ) -> TrainingBatches:
        """Images with their labels, or mixed ones with probabilities."""
        return build_batches(
            recipe,
            data,
            normalization,
            seed=seed,
            device=device,
            rank=rank,
            processes=processes,
        )

    def build(
        self,
        recipe: Recipe,
        data: ImageData,
        normalization: Normalization,
        announce: Callable[[str], None] | None = None,
    ) -> Built:
        """A model of timm or of ours."""
        return Built(*build_described(recipe, data, normalization, announce))

    def loss(self, criterion: Loss, output: Tensor, target: Tensor) -> Tensor:
        """The objective of the logits."""
        loss: Tensor = criterion(output, target)
        return loss

    def look(self, output: Tensor, target: Tensor) -> Seen:
        """The mechanism of Corollary 3.4, from the logits as they are."""
        return look_at(output.detach(), target)

    def figures(
        self, sums: tuple[tuple[float, ...], ...], correct: int, seen: int
    ) -> dict[str, float]:
        """The mechanism over an epoch."""
        return mechanism_figures(sums, correct, seen)

    def evaluator(
        self,
        model: nn.Module,
        normalization: Normalization,
        data: ImageData,
        accelerator: Accelerator,
        recipe: Recipe,
        measured_on: MeasuredOn,
    ) -> ClassificationEvaluator:
        """One pass over each part of the data for all measures."""
        return ClassificationEvaluator(
            model,
            data,
            measured_on,
            normalization,
            execution_of(accelerator),
            recipe.evaluate_flip,
        )

    def remark(self, found: Found, data: ImageData) -> str | None:
        """Whether the model can be told from guessing."""
        return no_better_than_guessing(found.values, len(data.classes), len(data.test))
