"""What is measured of a model during and after its training."""

import itertools
import math
import time
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from maxsup.data import ImageData, ImageSplit, Normalization
from maxsup.evaluation import (
    TEMPERATURE,
    Execution,
    Found,
    Outputs,
    OutputsKeeper,
    Sizes,
    SplitName,
    bytes_to_keep,
    evaluation_batches_of,
    measure_outputs,
    measure_probe,
    measures_each_epoch,
    measures_on,
    model_outputs,
    records_on,
)
from maxsup.models import feature_width
from maxsup.recipes import Recipe
from maxsup.training._settings import MeasuredOn
from maxsup.training._slow_steps import slow_steps
from maxsup.training._task import Ended, Estimate

Splits = Mapping[SplitName, ImageSplit]


def splits_after_epoch(data: ImageData, measured_on: MeasuredOn) -> Splits:
    """The parts of the data that are measured after each epoch, and whose outputs can be kept.

    Raises:
        ValueError: It is to be measured on a validation part, and there is none.
    """
    found: dict[SplitName, ImageSplit] = {}
    if data.validation is not None:
        found["validation"] = data.validation
    elif measured_on == "validation":
        raise ValueError(
            "The data has no validation part to measure on; --validation 0.2 holds out a fifth of "
            "the training images."
        )
    return found | ({"test": data.test} if measured_on == "test" else {})


def splits_at_the_end(data: ImageData, measured_on: MeasuredOn, *, keep_outputs: bool) -> Splits:
    """The parts of the data that a finished model is run over, in order.

    The validation part comes first: what is fitted on it is used on the test set. A model that
    something is chosen by is measured on the validation part alone.
    """
    after_epoch = splits_after_epoch(data, measured_on)
    if measured_on == "validation":
        return after_epoch
    kept = after_epoch if keep_outputs else {}
    parts: Splits = {**after_epoch, "train": data.train}
    return {
        name: split
        for name, split in parts.items()
        if name in kept or measures_on(name) or records_on(name)
    }


def _count(splits: Splits) -> int:
    return sum(len(split) for split in splits.values())


class ClassificationEvaluator(NamedTuple):
    """Measures one model, the one that a training ends with, in the same way all along."""

    model: nn.Module
    data: ImageData
    measured_on: MeasuredOn
    normalization: Normalization
    execution: Execution
    flip: bool
    """Whether to measure the means over an image and its mirror image."""

    def after_epoch(self) -> dict[str, float]:
        """The figures of an epoch's row, on each part that is measured."""
        values: dict[str, float] = {}
        for split, images in splits_after_epoch(self.data, self.measured_on).items():
            outputs = self._outputs(images, features=False)
            measures = measures_each_epoch()
            values |= measure_outputs(outputs, split, measures, sizes=self._sizes(False)).values
        return values

    def at_the_end(
        self, *, keep_outputs: bool, say: Callable[[str], None] = lambda text: None
    ) -> Ended:
        """All measures and records, and the outputs to keep.

        To be called in all processes, which share the work. On the training set, accuracy is
        against the labels as trained on, and everything else against the true ones.

        Args:
            keep_outputs: Whether outputs are kept at all.
            say: Is told how far it is where it takes long.
        """
        values: dict[str, float] = {}
        records: dict[str, Tensor] = {}
        kept: dict[SplitName, Outputs] = {}
        probed: dict[SplitName, Outputs] = {}
        temperature: float | None = None
        after_epoch = splits_after_epoch(self.data, self.measured_on)
        parts = splits_at_the_end(self.data, self.measured_on, keep_outputs=keep_outputs)
        for split, images in parts.items():
            # The part in the place of the test set has all the test set's measures.
            measures = measures_on("test" if split == self.measured_on else split)
            wanted = records_on(split)
            is_kept = keep_outputs and split in after_epoch
            is_probed = self._is_probed and split in ("train", "test")
            outputs = self._outputs(images, features=True)
            keeper = OutputsKeeper(features=is_probed)
            watched = keeper.watch(outputs) if is_kept or is_probed else outputs
            found = measure_outputs(
                watched,
                split,
                measures,
                wanted,
                sizes=self._sizes(True),
                temperature=temperature,
            )
            values |= found.values
            records |= found.records
            if TEMPERATURE.name in found.records:
                temperature = float(found.records[TEMPERATURE.name])
            gathered = keeper.gather() if is_kept or is_probed else None
            if gathered is not None and is_kept:
                kept[split] = gathered
            if gathered is not None and is_probed:
                probed[split] = gathered
        if self.data.probe_labels is not None and len(probed) == 2:
            values |= measure_probe(
                probed["train"],
                probed["test"],
                self.data.probe_labels,
                self.execution.device,
                slow_steps(say, f"Probe of {self.data.probe_labels.column}, l2 values tried"),
            )
        return Ended(Found(values, records), kept)

    def estimate(self, recipe: Recipe) -> Estimate:
        """What measuring takes, from two batches of the test set."""
        after_epoch = splits_after_epoch(self.data, self.measured_on)
        at_the_end = splits_at_the_end(
            self.data, self.measured_on, keep_outputs=recipe.keep_outputs
        )
        half = recipe.precision == "bf16" and not self.flip
        kept = bytes_to_keep(_count(after_epoch), len(self.data.classes), half=half)
        return Estimate(
            recipe.epochs * _count(after_epoch) + _count(at_the_end),
            self._seconds_an_image(),
            kept if recipe.keep_outputs else 0,
        )

    @torch.inference_mode()
    def _seconds_an_image(self) -> float:
        self.model.eval()
        times = [math.inf]
        batches = evaluation_batches_of(self.data.test, self.execution)
        for part in itertools.islice(batches, 2):
            start = time.perf_counter()
            with self.execution.autocast():
                logits = self.model(self.normalization(part.images))
            logits.sum().item()  # waits for the device
            times.append((time.perf_counter() - start) / len(part.images))
        return min(times)

    @property
    def _is_probed(self) -> bool:
        """Whether a probe is measured: on the test set alone, as it chooses for itself."""
        return self.data.probe_labels is not None and self.measured_on == "test"

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
        num_features = feature_width(self.model) if with_features else None
        return Sizes(len(self.data.classes), num_features, self.execution.device)
