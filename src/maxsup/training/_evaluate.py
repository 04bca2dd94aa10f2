"""The measures of a model during and after training."""

from collections.abc import Iterator

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from maxsup.data import EvaluationBatch, ImageData, ImageSplit, Normalization
from maxsup.measures import (
    Calibration,
    Classification,
    ClassSeparation,
    LogitHistogram,
    SoftConfusion,
)
from maxsup.models import class_templates, features_and_logits
from maxsup.results.schema import Reliability
from maxsup.training._result import Evaluation

_BATCH_SIZE = 512
_BATCH_PIXELS = 128 * 256 * 256
"""What a batch of larger images comes to, so that their features fit into memory."""


@torch.inference_mode()
def quick_figures(
    name: str,
    model: nn.Module,
    split: ImageSplit,
    normalization: Normalization,
    accelerator: Accelerator,
    *,
    flip: bool = False,
) -> dict[str, float]:
    """Accuracy and NLL on a split, for an epoch's row; with ``flip``, of mirrored pairs."""
    model.eval()
    metric = Classification().to(accelerator.device)
    for part in measuring_batches(split, accelerator):
        images = normalization(part.images)
        with accelerator.autocast():
            logits = model(images)
            if flip:
                logits = (logits + model(images.flip(3))) / 2
        metric.update(logits, part.true_labels)
    values = metric.compute()
    return {f"{name}_accuracy": float(values.accuracy), f"{name}_nll": float(values.nll)}


@torch.inference_mode()
def evaluate(
    model: nn.Module,
    data: ImageData,
    normalization: Normalization,
    accelerator: Accelerator,
    *,
    flip: bool = False,
) -> Evaluation:
    """All measures of a trained model, on the images as they are, without augmentation.

    With ``flip``, features and logits are the means over an image and its mirror image.

    On the training set, accuracy is against the labels as trained on, and everything else against
    the true ones.
    """
    model.eval()
    device = accelerator.device
    num_classes, num_features = class_templates(model).shape
    values: dict[str, float] = {}

    classification, calibration, histogram = (
        Classification().to(device),
        Calibration().to(device),
        LogitHistogram().to(device),
    )
    separation = ClassSeparation(num_classes, num_features).to(device)
    for part in measuring_batches(data.test, accelerator):
        features, logits = _forward(model, normalization(part.images), accelerator, flip)
        classification.update(logits, part.true_labels)
        calibration.update(logits, part.true_labels)
        histogram.update(logits)
        separation.update(features, part.true_labels)
    found, calibrated, separated = (
        classification.compute(),
        calibration.compute(),
        separation.compute(),
    )
    values |= {
        "test_accuracy": float(found.accuracy),
        "test_nll": float(found.nll),
        "test_ece": float(calibrated.ece),
        "test_brier": float(found.brier),
        "test_confidence_wrong": float(found.confidence_wrong),
        "test_confidence_right": float(found.confidence_right),
        "test_d_within": float(separated.within),
        "test_d_total": float(separated.total),
        "test_r2": float(separated.r2),
    }

    classification.reset()
    separation.reset()
    confusion = SoftConfusion(num_classes).to(device)
    for part in measuring_batches(data.train, accelerator):
        features, logits = _forward(model, normalization(part.images), accelerator, flip)
        classification.update(logits, part.labels)
        separation.update(features, part.true_labels)
        confusion.update(logits, part.true_labels)
    separated = separation.compute()
    values |= {
        "train_d_within": float(separated.within),
        "train_d_total": float(separated.total),
        "train_r2": float(separated.r2),
        "train_accuracy": float(classification.compute().accuracy),
    }
    return Evaluation(
        values=values,
        reliability=Reliability(
            count=calibrated.samples.tolist(),
            confidence=calibrated.confidence.tolist(),
            accuracy=calibrated.accuracy.tolist(),
        ),
        logit_counts=histogram.compute().cpu(),
        confusion=confusion.compute().cpu(),
    )


@torch.inference_mode()
def features_of(model: nn.Module, split: ImageSplit, normalization: Normalization) -> Tensor:
    """Penultimate features (N, D) of a split's images, on the model's device."""
    model.eval()
    device = class_templates(model).device
    return torch.cat(
        [
            features_and_logits(model, normalization(part.images))[0]
            for part in split.evaluation_batches(_batch_size(split), device=device)
        ]
    )


def measuring_batches(split: ImageSplit, accelerator: Accelerator) -> Iterator[EvaluationBatch]:
    """This process's part of a split, in batches whose features fit into memory."""
    return split.evaluation_batches(
        _batch_size(split),
        device=accelerator.device,
        rank=accelerator.process_index,
        processes=accelerator.num_processes,
    )


def _batch_size(split: ImageSplit) -> int:
    _, height, width = split.image_shape
    return max(1, min(_BATCH_SIZE, _BATCH_PIXELS // (height * width)))


def _forward(
    model: nn.Module, images: Tensor, accelerator: Accelerator, flip: bool
) -> tuple[Tensor, Tensor]:
    with accelerator.autocast():
        features, logits = features_and_logits(model, images)
        if flip:
            mirrored = features_and_logits(model, images.flip(3))
            features, logits = (features + mirrored[0]) / 2, (logits + mirrored[1]) / 2
    return features.float(), logits.float()
