"""Training to classify images."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from accelerate import Accelerator
from torch import Tensor, nn

from maxsup.data import ImageData, Normalization
from maxsup.evaluation import NLL, Measure
from maxsup.losses import Loss
from maxsup.models import ModelDescription, save_model
from maxsup.recipes import Recipe
from maxsup.results import no_better_than_guessing
from maxsup.training._accelerator import execution_of
from maxsup.training._batches import build_batches
from maxsup.training._evaluate import ClassificationEvaluator
from maxsup.training._mechanism import Seen, look_at, mechanism_figures
from maxsup.training._model import build_described, build_normalization
from maxsup.training._settings import MeasuredOn
from maxsup.training._task import Built


@dataclass(frozen=True)
class Classification:
    """A label for each image."""

    finite: Measure = NLL

    normalization = staticmethod(build_normalization)
    batches = staticmethod(build_batches)
    figures = staticmethod(mechanism_figures)

    def build(
        self,
        recipe: Recipe,
        data: ImageData,
        normalization: Normalization,
        announce: Callable[[str], None] | None = None,
    ) -> Built:
        """A model of timm or of ours."""
        return Built(*build_described(recipe, data, normalization, announce))

    def drawn(self, model: nn.Module) -> nn.Module:
        """All of it, weights to start from included."""
        return model

    def check(self, model: nn.Module, recipe: Recipe, data: ImageData, processes: int) -> None:
        """Nothing: what it cannot do is seen where it is built, or in its first step."""

    def fit(self, criterion: Loss, recipe: Recipe, data: ImageData) -> None:
        """Nothing: it knows all that it needs."""

    def loss(self, criterion: Loss, output: Tensor, target: Tensor) -> Tensor:
        """The objective of the logits."""
        loss: Tensor = criterion(output, target)
        return loss

    def look(self, output: Tensor, target: Tensor) -> Seen:
        """The mechanism of Corollary 3.4, from the logits as they are."""
        return look_at(output.detach(), target)

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

    def save(
        self, directory: Path, model: nn.Module, description: ModelDescription
    ) -> dict[str, str]:
        """As :func:`maxsup.models.load_run` reads it."""
        return save_model(directory, model, description)

    def remark(self, values: Mapping[str, float | None], data: ImageData) -> str | None:
        """Whether the model can be told from guessing."""
        return no_better_than_guessing(values, len(data.classes), len(data.test))
