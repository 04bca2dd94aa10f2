"""What is measured of a model during and after its training."""

from collections.abc import Iterator
from typing import NamedTuple

from accelerate import Accelerator
from torch import Tensor, nn

from maxsup.data import ImageData, ImageSplit, Normalization
from maxsup.evaluation import (
    Execution,
    Found,
    Outputs,
    OutputsKeeper,
    Sizes,
    SplitName,
    measure_outputs,
    measures_each_epoch,
    measures_on,
    model_outputs,
    records_on,
)
from maxsup.models import class_templates
from maxsup.recipes import Recipe
from maxsup.training._accelerator import execution_of
from maxsup.training._setup import Setup

_KEPT: tuple[SplitName, ...] = ("validation", "test")
"""The splits that are measured after each epoch, and whose outputs are kept at the end."""
_SPLITS: tuple[SplitName, ...] = ("test", "train", "validation")
"""The splits in the order in which they are measured at the end."""


class Evaluator(NamedTuple):
    """Measures one model, the one that a training ends with, in the same way all along."""

    model: nn.Module
    data: ImageData
    normalization: Normalization
    execution: Execution
    flip: bool
    """Whether to measure the means over an image and its mirror image."""

    @classmethod
    def of(
        cls, setup: Setup, data: ImageData, accelerator: Accelerator, recipe: Recipe
    ) -> "Evaluator":
        """The evaluator of a training: of its model, or of the average of its weights."""
        ema = setup.state.ema
        return cls(
            ema.module if ema is not None and recipe.evaluate_ema else setup.state.model,
            data,
            setup.normalization,
            execution_of(accelerator),
            recipe.evaluate_flip,
        )

    def after_epoch(self) -> dict[str, float]:
        """The figures of an epoch's row, on the validation and test sets."""
        values: dict[str, float] = {}
        for split in _KEPT:
            if (images := self._images(split)) is not None:
                outputs = self._outputs(images, features=False)
                measures = measures_each_epoch()
                values |= measure_outputs(outputs, split, measures, sizes=self._sizes(False)).values
        return values

    def at_the_end(self, *, keep_outputs: bool) -> tuple[Found, dict[SplitName, Outputs]]:
        """All measures and records, and the outputs to keep.

        To be called in all processes, which share the work. On the training set, accuracy is
        against the labels as trained on, and everything else against the true ones.
        """
        values: dict[str, float] = {}
        records: dict[str, Tensor] = {}
        kept: dict[SplitName, Outputs] = {}
        for split in _SPLITS:
            images = self._images(split)
            measures, wanted = measures_on(split), records_on(split)
            is_kept = keep_outputs and split in _KEPT
            if images is None or not (measures or wanted or is_kept):
                continue
            outputs = self._outputs(images, features=True)
            keeper = OutputsKeeper()
            watched = keeper.watch(outputs) if is_kept else outputs
            found = measure_outputs(watched, split, measures, wanted, sizes=self._sizes(True))
            values |= found.values
            records |= found.records
            if is_kept:
                kept[split] = keeper.gather()
        return Found(values, records), kept

    def _images(self, split: SplitName) -> ImageSplit | None:
        match split:
            case "train":
                return self.data.train
            case "validation":
                return self.data.validation
            case "test":
                return self.data.test

    def _outputs(self, images: ImageSplit, *, features: bool) -> Iterator[Outputs]:
        return model_outputs(
            self.model,
            images,
            self.normalization,
            self.execution,
            flip=self.flip,
            features=features,
        )

    def _sizes(self, with_features: bool) -> Sizes:
        num_classes, num_features = class_templates(self.model).shape
        return Sizes(num_classes, num_features if with_features else None, self.execution.device)
