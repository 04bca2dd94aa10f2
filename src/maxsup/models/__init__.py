"""timm's models by name, a stem for small images, features and logits; and trained models."""

from maxsup.models._adapt import has_small_stem
from maxsup.models._cam_layer import find_layer as find_cam_layer
from maxsup.models._cifar_resnet import CifarResNet
from maxsup.models._create import TIMM, check_name, check_published, create_model
from maxsup.models._description import Architecture, ModelDescription
from maxsup.models._epochs import (
    EPOCHS_FOLDER,
    kept_epochs,
    load_epoch,
    remove_epochs,
    save_epoch,
)
from maxsup.models._expected import Expected, expected_by, expected_of_fields
from maxsup.models._features import (
    check_last_layer,
    class_templates,
    feature_width,
    features_and_logits,
    last_layer,
)
from maxsup.models._grad_cam import ActivationMaps, grad_cam, scale_maps
from maxsup.models._saved import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    TrainedModel,
    load_run,
    save_model,
)
from maxsup.models._small_convnet import SmallConvNet
from maxsup.models._small_resnet import SmallResNet
from maxsup.models._weights import Loaded, load_weights
from maxsup.models._weights_file import digest_of_weights

__all__ = [
    "CONFIG_FILE",
    "EPOCHS_FOLDER",
    "TIMM",
    "WEIGHTS_FILE",
    "ActivationMaps",
    "Architecture",
    "CifarResNet",
    "Expected",
    "Loaded",
    "ModelDescription",
    "SmallConvNet",
    "SmallResNet",
    "TrainedModel",
    "check_last_layer",
    "check_name",
    "check_published",
    "class_templates",
    "create_model",
    "digest_of_weights",
    "expected_by",
    "expected_of_fields",
    "feature_width",
    "features_and_logits",
    "find_cam_layer",
    "grad_cam",
    "has_small_stem",
    "kept_epochs",
    "last_layer",
    "load_epoch",
    "load_run",
    "load_weights",
    "remove_epochs",
    "save_epoch",
    "save_model",
    "scale_maps",
]
