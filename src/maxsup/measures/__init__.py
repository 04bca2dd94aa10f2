"""Numbers from logits, features and labels; streaming, and mergeable across processes.

Sums are kept in float64, which Apple's MPS lacks: move the tensors to the CPU there. On a GPU the
order of adding varies and the last bits of a sum of classes or bins with it; after
``torch.use_deterministic_algorithms(True)`` they repeat.
"""

from maxsup.measures._calibration import (
    Calibration,
    CalibrationValues,
    expected_calibration_error,
)
from maxsup.measures._classification import Classification, ClassificationValues
from maxsup.measures._classwise import ClasswiseCalibration
from maxsup.measures._confusion import SoftConfusion, three_confused
from maxsup.measures._localization import (
    BoxIous,
    BoxLocalization,
    BoxLocalizationValues,
    PixelLocalization,
    PixelLocalizationValues,
    box_ious,
    boxes_as_mask,
    centre_map,
    energy_on,
    enlarge_maps,
    is_found,
)
from maxsup.measures._logits import LogitHistogram, logit_densities
from maxsup.measures._projection import Projected, centroid_projection, template_projection
from maxsup.measures._selective import SelectiveClassification, SelectiveValues
from maxsup.measures._separation import ClassSeparation, Separation, class_separation
from maxsup.measures._stored_calibration import StoredCalibration, StoredCalibrationValues
from maxsup.measures._temperature import fit_temperature
from maxsup.measures._temperature_scaling import ScaledValues, Temperature, TemperatureScaling

__all__ = [
    "BoxIous",
    "BoxLocalization",
    "BoxLocalizationValues",
    "Calibration",
    "CalibrationValues",
    "ClassSeparation",
    "Classification",
    "ClassificationValues",
    "ClasswiseCalibration",
    "LogitHistogram",
    "PixelLocalization",
    "PixelLocalizationValues",
    "Projected",
    "ScaledValues",
    "SelectiveClassification",
    "SelectiveValues",
    "Separation",
    "SoftConfusion",
    "StoredCalibration",
    "StoredCalibrationValues",
    "Temperature",
    "TemperatureScaling",
    "box_ious",
    "boxes_as_mask",
    "centre_map",
    "centroid_projection",
    "class_separation",
    "energy_on",
    "enlarge_maps",
    "expected_calibration_error",
    "fit_temperature",
    "is_found",
    "logit_densities",
    "template_projection",
    "three_confused",
]
