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
from maxsup.measures._class_spread import (
    ClassSpread,
    ExtremeSamples,
    class_spread,
    extreme_samples,
)
from maxsup.measures._classification import Classification, ClassificationValues
from maxsup.measures._classwise import ClasswiseCalibration
from maxsup.measures._collapse import (
    Collapse,
    CollapseValues,
    collapse_of_moments,
    neural_collapse,
)
from maxsup.measures._confusion import SoftConfusion, three_confused
from maxsup.measures._curvature import LogitCurvature, logit_conditions
from maxsup.measures._linear_transfer import (
    NARROW_RANGE,
    WIDE_GRID,
    Chosen,
    LinearTransfer,
    linear_transfer,
)
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
from maxsup.measures._logistic import LogisticFit, logistic_path
from maxsup.measures._logits import LogitHistogram, logit_densities
from maxsup.measures._moments import FeatureMoments, Moments
from maxsup.measures._nearest_mean import nearest_class_mean
from maxsup.measures._nearest_neighbours import NEIGHBOURS, Neighbours, nearest_neighbours
from maxsup.measures._out_of_distribution import Detection, OutOfDistribution, detection
from maxsup.measures._projection import Projected, centroid_projection, template_projection
from maxsup.measures._segmentation import (
    VOID,
    ConfusionMatrix,
    boundary_iou,
    class_iou,
    mean_accuracy,
    mean_iou,
    pixel_accuracy,
    ratio_contributions,
)
from maxsup.measures._selective import SelectiveClassification, SelectiveValues
from maxsup.measures._separation import ClassSeparation, Separation, class_separation
from maxsup.measures._spectrum import LayerSpectrum, entropy_rank, layer_spectrum
from maxsup.measures._stored_calibration import StoredCalibration, StoredCalibrationValues
from maxsup.measures._temperature import fit_temperature
from maxsup.measures._temperature_scaling import ScaledValues, Temperature, TemperatureScaling

__all__ = [
    "NARROW_RANGE",
    "NEIGHBOURS",
    "VOID",
    "WIDE_GRID",
    "BoxIous",
    "BoxLocalization",
    "BoxLocalizationValues",
    "Calibration",
    "CalibrationValues",
    "Chosen",
    "ClassSeparation",
    "ClassSpread",
    "Classification",
    "ClassificationValues",
    "ClasswiseCalibration",
    "Collapse",
    "CollapseValues",
    "ConfusionMatrix",
    "Detection",
    "ExtremeSamples",
    "FeatureMoments",
    "LayerSpectrum",
    "LinearTransfer",
    "LogisticFit",
    "LogitCurvature",
    "LogitHistogram",
    "Moments",
    "Neighbours",
    "OutOfDistribution",
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
    "boundary_iou",
    "box_ious",
    "boxes_as_mask",
    "centre_map",
    "centroid_projection",
    "class_iou",
    "class_separation",
    "class_spread",
    "collapse_of_moments",
    "detection",
    "energy_on",
    "enlarge_maps",
    "entropy_rank",
    "expected_calibration_error",
    "extreme_samples",
    "fit_temperature",
    "is_found",
    "layer_spectrum",
    "linear_transfer",
    "logistic_path",
    "logit_conditions",
    "logit_densities",
    "mean_accuracy",
    "mean_iou",
    "nearest_class_mean",
    "nearest_neighbours",
    "neural_collapse",
    "pixel_accuracy",
    "ratio_contributions",
    "template_projection",
    "three_confused",
]
