"""A pass of a model over a split."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from maxsup._interrupts import check_interrupted
from maxsup.data import EvaluationBatch, MeasuredImages, Normalization
from maxsup.evaluation._execution import Execution
from maxsup.evaluation._outputs import Outputs
from maxsup.models import features_and_logits

_BATCH_SIZE = 512
_BATCH_PIXELS = 128 * 256 * 256
"""Pixels of a batch of larger images, so that their features fit into memory."""


@torch.inference_mode()
def model_outputs(
    model: nn.Module,
    split: MeasuredImages,
    normalization: Normalization,
    execution: Execution,
    *,
    flip: bool = False,
    features: bool = True,
) -> Iterator[Outputs]:
    """What a model gives for a split's images as they are, without augmentation.

    Each sample comes once over all processes.

    Args:
        model: Of :func:`maxsup.models.create_model`, on the execution's device.
        split: The images.
        normalization: From uint8 to what the model is given.
        execution: Where it runs.
        flip: Take the means over an image and its mirror image.
        features: Whether penultimate features are given too, beside the logits.

    Yields:
        Batches of outputs, on the device, in float32.

    Raises:
        ValueError: More photographs cannot be read than may be; the message lists them.
    """
    model.eval()
    for batch in evaluation_batches_of(split, execution):
        check_interrupted()
        images = normalization(batch.images)
        with execution.autocast():
            found = [each.float() for each in _forward(model, images, features)]
            if flip:
                mirrored = _forward(model, images.flip(3), features)
                found = [(a + b.float()) / 2 for a, b in zip(found, mirrored, strict=True)]
        logits, *rest = found
        yield Outputs(logits, batch.labels, batch.true_labels, batch.ids, rest[0] if rest else None)


def evaluation_batches_of(split: MeasuredImages, execution: Execution) -> Iterator[EvaluationBatch]:
    """This process's part of a split, in batches whose features fit into memory."""
    _, height, width = split.image_shape
    return split.evaluation_batches(
        max(1, min(_BATCH_SIZE, _BATCH_PIXELS // (height * width))),
        device=execution.device,
        rank=execution.rank,
        processes=execution.processes,
    )


def _forward(model: nn.Module, images: Tensor, features: bool) -> tuple[Tensor, ...]:
    """The logits, and the features where they are asked for."""
    if not features:
        return (model(images),)
    found, logits = features_and_logits(model, images)
    return logits, found
