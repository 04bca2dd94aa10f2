"""What differs from one kind of training to another; all else is the same loop."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from maxsup.data import Normalization, TrainingBatches
from maxsup.evaluation import Found, Measure, Outputs, SplitName
from maxsup.losses import Loss
from maxsup.recipes import Recipe
from maxsup.training._mechanism import Seen
from maxsup.training._settings import MeasuredOn


class Built(NamedTuple):
    """A model before its training."""

    model: Any
    description: Any
    """What a stranger needs to use it once it is trained."""


class Ended(NamedTuple):
    """What is kept of a finished training beside its weights."""

    found: Found
    outputs: dict[SplitName, Outputs]


class Estimate(NamedTuple):
    """What the measuring of a whole training takes."""

    images: int
    """Images that are run through the model, all processes and epochs together."""
    seconds: float
    """For one of them."""
    outputs_bytes: int
    """About what the outputs take that are kept."""


class Evaluator(Protocol):
    """Measures one model, the one that a training ends with, in the same way all along.

    Its methods are called in all processes, which share the work.
    """

    @property
    def model(self) -> nn.Module:
        """The model that is measured."""

    def after_epoch(self) -> dict[str, float]:
        """The figures of an epoch's row, on each part that is measured."""

    def at_the_end(
        self, *, keep_outputs: bool, say: Callable[[str], None] = lambda text: None
    ) -> Ended:
        """All measures and records, and the outputs to keep.

        Args:
            keep_outputs: Whether outputs are kept.
            say: Is told how far it is, where it takes long.
        """

    def estimate(self, recipe: Recipe) -> Estimate:
        """What measuring takes in a whole training, from a few images."""


class Task(Protocol):
    """A kind of training. Its data is of the kind that it is given by :func:`load_data`."""

    @property
    def finite(self) -> Measure | None:
        """The measure of each epoch that tells a training which has diverged, by being NaN."""

    def normalization(self, recipe: Recipe, data: Any) -> Normalization:
        """How images are scaled.

        Raises:
            ValueError: The recipe says it for another number of channels than the images have.
        """

    def batches(
        self,
        recipe: Recipe,
        data: Any,
        normalization: Normalization,
        *,
        seed: int,
        device: torch.device,
        rank: int,
        processes: int,
    ) -> TrainingBatches:
        """The batches that a recipe trains with, for one process.

        Raises:
            ValueError: A batch cannot be shared by so many processes and accumulated parts.
        """

    def build(
        self,
        recipe: Recipe,
        data: Any,
        normalization: Normalization,
        announce: Callable[[str], None] | None = None,
    ) -> Built:
        """The recipe's model for the data, at its start."""

    def check(self, model: Any, recipe: Recipe, data: Any, processes: int) -> None:
        """See that a built model can be trained and measured by the recipe on the data.

        Raises:
            ValueError: It would fail in the middle.
        """

    def drawn(self, model: Any) -> nn.Module:
        """The part of a model that is drawn at random, which runs of one seed share."""

    def fit(self, criterion: Loss, recipe: Recipe, data: Any) -> None:
        """Set what an objective is to know of the data beside its number of classes."""

    def loss(self, criterion: Loss, output: Any, target: Tensor) -> Tensor:
        """The loss of what the model gave in training, 0-dimensional."""

    def look(self, output: Any, target: Tensor) -> Seen:
        """What a batch says of the model beside its loss; the device is not waited for."""

    def figures(
        self, sums: tuple[tuple[float, ...], ...], correct: int, seen: int
    ) -> dict[str, float]:
        """An epoch's figures beside loss and accuracy.

        Args:
            sums: :attr:`Seen.sums` of each process.
            correct: How many labels were predicted right.
            seen: How many there were.
        """

    def evaluator(
        self,
        model: nn.Module,
        normalization: Normalization,
        data: Any,
        accelerator: Accelerator,
        recipe: Recipe,
        measured_on: MeasuredOn,
    ) -> Evaluator:
        """What measures a model during and after its training."""

    def save(self, directory: Path, model: Any, description: Any) -> dict[str, str]:
        """Write a trained model with what a stranger needs to use it.

        Returns:
            SHA-256 of each file, by its name.

        Raises:
            OSError: It could not be written.
        """

    def remark(self, values: Mapping[str, float | None], data: Any) -> str | None:
        """What to say of a finished training that has come to nothing, without its name.

        Args:
            values: :attr:`RunResult.values`.
            data: What it was trained and measured on.
        """
