"""timm's models by name, a stem for small images, features and logits; and trained models."""

from maxsup.models._cifar_resnet import CifarResNet
from maxsup.models._create import create_model
from maxsup.models._description import Architecture, ModelDescription
from maxsup.models._features import class_templates, features_and_logits
from maxsup.models._saved import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    TrainedModel,
    load_run,
    save_model,
)
from maxsup.models._small_convnet import SmallConvNet

__all__ = [
    "CONFIG_FILE",
    "WEIGHTS_FILE",
    "Architecture",
    "CifarResNet",
    "ModelDescription",
    "SmallConvNet",
    "TrainedModel",
    "class_templates",
    "create_model",
    "features_and_logits",
    "load_run",
    "save_model",
]
