"""What a linear probe learns of other labels from a finished model's features."""

from collections.abc import Callable, Iterator, Mapping

import torch

from maxsup.data import ProbeLabels
from maxsup.evaluation._outputs import Outputs
from maxsup.measures import NARROW_RANGE, linear_transfer, nearest_neighbours
from maxsup.results.schema import MeasureFacts, bounds_of

_NEIGHBOURS = 20


def _facts() -> Iterator[MeasureFacts]:
    low, high = NARROW_RANGE
    for name, label, help in (
        (
            "test_probe_accuracy",
            "Probe",
            "accuracy of logistic regression on the frozen features, for the labels of "
            "--probe-label, on the test set; of 45 l2 from 1e-6 to 1e5 the one that is best on a "
            "tenth of the training images, held out",
        ),
        (
            "test_probe_accuracy_narrow",
            f"Probe, l2 {low:g} … {high:g}",
            "the same, with an l2 of this narrow range alone, which ends too early where it is far "
            "below the one beside it",
        ),
        (
            "test_probe_neighbours",
            f"Probe, {_NEIGHBOURS} neighbours",
            f"accuracy of the votes of the {_NEIGHBOURS} training images with the nearest features "
            "(cosine), for the labels of --probe-label, on the test set",
        ),
    ):
        yield MeasureFacts(
            name=name,
            label=label,
            help=help,
            better="higher",
            percent=True,
            digits=1,
            bounds=bounds_of(None, percent=True),
            split="test",
            headline=name == "test_probe_accuracy",
            detail=False,
        )


PROBE_FACTS: tuple[MeasureFacts, ...] = tuple(_facts())
"""How the numbers of a probe are called and read."""


def measure_probe(
    train: Outputs,
    test: Outputs,
    labels: ProbeLabels,
    device: torch.device,
    progress: Callable[[int, int], None] | None = None,
) -> Mapping[str, float]:
    """The numbers of :data:`PROBE_FACTS`, for other labels of the same images.

    Args:
        train: Of the training images, with features.
        test: Of the test images, with features.
        labels: What is learnt.
        device: Where it is learnt; on the CPU where the device lacks float64.
        progress: Is called after each fit, with how many are done and how many there are.

    Raises:
        ValueError: Features are not finite.
    """
    assert train.features is not None
    assert test.features is not None
    place = torch.device("cpu") if device.type == "mps" else device
    inputs = (
        train.features.to(place),
        labels.of("train", train.ids).to(place),
        test.features.to(place),
        labels.of("test", test.ids).to(place),
    )
    linear = linear_transfer(*inputs, progress=progress)
    (neighbours,) = nearest_neighbours(*inputs, k=[_NEIGHBOURS])
    return {
        "test_probe_accuracy": linear.chosen.test_accuracy,
        "test_probe_accuracy_narrow": linear.narrow.test_accuracy,
        "test_probe_neighbours": neighbours.accuracy,
    }
