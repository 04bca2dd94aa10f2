"""What the kept outputs of a study's runs say of each test image; each file is read once."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maxsup._method_names import directory_name
from maxsup.evaluation import ACCURACY, NLL, Outputs, load_outputs, outputs_file


class Predictions(NamedTuple):
    """What one run made of the test images, in the order of their ids."""

    ids: NDArray[np.int64]
    true: NDArray[np.int64]
    predicted: NDArray[np.int64]


class OfImages(NamedTuple):
    """What is kept of one run's outputs, in the order of the images' ids."""

    predictions: Predictions
    values: NDArray[np.float64] | None
    """What each image contributes to the measure; none where that is no mean over images."""


class KeptOutputs:
    """The outputs that runs kept on the test set, as far as studies look at them.

    Args:
        directory: The study's directory; none where all outputs are given.
        measure: The measure whose contributions are wanted, as results name it.
    """

    def __init__(self, directory: Path | None, measure: str) -> None:
        self._directory = directory
        self._contribution = CONTRIBUTIONS.get(measure)
        self._found: dict[tuple[str, int], OfImages] = {}

    def of(self, method: str, seed: int) -> OfImages:
        """What one run predicted for each image.

        Raises:
            FileNotFoundError: Its outputs were not kept.
            ValueError: They are damaged.
            OSError: They cannot be read.
        """
        if (method, seed) not in self._found:
            self._found[method, seed] = self._read(method, seed)
        return self._found[method, seed]

    def give(self, method: str, seed: int, outputs: Outputs) -> None:
        """Take the outputs of a run that lie in no file of a study."""
        self._found[method, seed] = self._of_images(outputs)

    def _read(self, method: str, seed: int) -> OfImages:
        if self._directory is None:
            raise FileNotFoundError(f"There are no outputs of {method}, seed {seed}.")
        place = self._directory / directory_name(method) / f"seed-{seed}"
        return self._of_images(load_outputs(place / outputs_file("test")))

    @torch.inference_mode()
    def _of_images(self, outputs: Outputs) -> OfImages:
        order = outputs.ids.argsort(stable=True)
        values = None if self._contribution is None else self._contribution(outputs)
        return OfImages(
            Predictions(
                outputs.ids[order].numpy(),
                outputs.true_labels[order].numpy(),
                outputs.logits.argmax(dim=1)[order].numpy(),
            ),
            None if values is None else values[order].numpy(),
        )


def _right(outputs: Outputs) -> Tensor:
    return (outputs.logits.argmax(dim=1) == outputs.true_labels).double()


def _nll(outputs: Outputs) -> Tensor:
    log_probs = outputs.logits.double().log_softmax(dim=1)
    return -log_probs.gather(1, outputs.true_labels.unsqueeze(1)).squeeze(1)


def _brier(outputs: Outputs) -> Tensor:
    probs = outputs.logits.double().softmax(dim=1)
    true = probs.gather(1, outputs.true_labels.unsqueeze(1)).squeeze(1)
    return probs.square().sum(dim=1) - 2 * true + 1


CONTRIBUTIONS: Mapping[str, Callable[[Outputs], Tensor]] = {
    ACCURACY.name_on("test"): _right,
    NLL.name_on("test"): _nll,
    "test_brier": _brier,
}
"""The measures that are a mean over images, by name, with what an image contributes."""
