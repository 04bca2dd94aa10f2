"""Backbones with a head that gives logits for every pixel."""

from maxsup.models.segmentation._backbone import Backbone
from maxsup.models.segmentation._heads import FcnHead, LinearHead, UperNetHead
from maxsup.models.segmentation._model import (
    HEADS,
    SegmentationLogits,
    SegmentationModel,
    create_segmentation_model,
)
from maxsup.models.segmentation._saved import (
    SegmentationArchitecture,
    SegmentationDescription,
    TrainedSegmentationModel,
    load_segmentation_run,
    save_segmentation_model,
)

__all__ = [
    "HEADS",
    "Backbone",
    "FcnHead",
    "LinearHead",
    "SegmentationArchitecture",
    "SegmentationDescription",
    "SegmentationLogits",
    "SegmentationModel",
    "TrainedSegmentationModel",
    "UperNetHead",
    "create_segmentation_model",
    "load_segmentation_run",
    "save_segmentation_model",
]
