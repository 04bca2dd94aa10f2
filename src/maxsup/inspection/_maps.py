"""Class activation maps of a model over images."""

import copy
import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from maxsup._interrupts import check_interrupted
from maxsup.data import LabelledSplit, Objects, Shown, read_objects
from maxsup.evaluation import evaluation_batches_of
from maxsup.inspection._settings import InspectionSettings
from maxsup.inspection._subject import Subject
from maxsup.models import grad_cam


class MappedBatch(NamedTuple):
    """Maps of some images."""

    images: Tensor
    """(B, C, H, W) uint8, on the CPU: what the model is shown."""
    ids: Tensor
    """(B,) int64."""
    labels: Tensor
    """(B,) int64: the true classes."""
    maps: Tensor
    """(B, h, w) float32, 0 or more, on the CPU."""
    layer: str
    """The module that they are made of."""


def class_maps(
    subject: Subject, split: LabelledSplit, settings: InspectionSettings
) -> Iterator[MappedBatch]:
    """Grad-CAM of images, batch by batch, in full precision.

    Raises:
        ValueError: The model has no such layer, or none with places.
    """
    assert subject.trained is not None
    with torch.inference_mode(False):
        # What is loaded in inference mode can be no part of a graph.
        model = copy.deepcopy(subject.trained.model)
    layer = settings.cam_layer
    for batch in evaluation_batches_of(split, subject.execution.alone()):
        check_interrupted()
        target = batch.true_labels if settings.cam_class == "true" else None
        found = grad_cam(model, subject.trained.normalization(batch.images), target, layer)
        yield MappedBatch(
            batch.images.cpu(),
            batch.ids.cpu(),
            batch.true_labels.cpu(),
            found.maps.cpu(),
            found.layer,
        )


def objects_in(
    subject: Subject, split: LabelledSplit, settings: InspectionSettings
) -> dict[int, Objects]:
    """Where the objects are in what the model is shown of images, by their ids.

    Raises:
        ValueError: They cannot be read, or a box or a mask does not fit its image.
    """
    assert subject.trained is not None
    assert subject.source is not None
    of = subject.trained.description
    _, height, width = split.image_shape
    shown = Shown(of.reading, (height, width), of.crop)
    found = read_objects(
        subject.source, shown, split.ids.tolist(), boxes=settings.boxes, masks=settings.masks
    )
    return {each.row: each for each in found}


def digest_of_objects(subject: Subject, settings: InspectionSettings) -> str | None:
    """What tells boxes or masks from what they were when something was measured against them."""
    if settings.boxes is None and settings.masks is None:
        return None
    split = subject.seen("test")
    if split is None or subject.trained is None or subject.source is None:
        return None
    of = subject.trained.description
    key = repr((subject.source, settings.boxes, settings.masks, split.image_shape, of.reading,
                of.crop, subject.data and subject.data.fingerprint))  # fmt: skip
    if key in subject.digests:
        return subject.digests[key]
    digest = hashlib.sha256()
    for row, each in sorted(objects_in(subject, split, settings).items()):
        digest.update(repr((row, each.total, each.cut)).encode())
        for values in (each.boxes, each.mask):
            if values is not None:
                digest.update(values.numpy().tobytes())
    subject.digests[key] = digest.hexdigest()
    return subject.digests[key]
