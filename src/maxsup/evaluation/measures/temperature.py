"""Likelihood and calibration after one temperature, which takes the level of confidence out."""

from collections.abc import Callable

from torch import Tensor

from maxsup.evaluation._measure import Accumulation, Measure, Record
from maxsup.evaluation.measures import calibration, classification
from maxsup.measures import ScaledValues, Temperature, TemperatureScaling

_SCALED = Accumulation(
    build=lambda context: TemperatureScaling(context.num_classes, context.temperature),
    update=lambda metric, outputs: metric.update(outputs.logits, outputs.true_labels, outputs.ids),
)


def _after(measure: Measure, value: Callable[[ScaledValues], Tensor], *, main: bool) -> Measure:
    """The same measure of the logits after temperature."""
    return Measure(
        name=f"{measure.name}_scaled",
        label=f"{measure.label}, fitted T",
        help=f"{measure.label} after temperature: of logits that were divided by one number T, "
        "fitted on the validation part, or where there is none on each half of the {split} set for "
        "the other",
        better=measure.better,
        headline=main,
        detail=not main,
        percent=measure.percent,
        digits=measure.digits,
        bounds=measure.bounds,
        accumulation=_SCALED,
        value=value,
    )


NLL_SCALED = _after(classification.NLL, lambda found: found.nll, main=True)
BRIER_SCALED = _after(classification.BRIER, lambda found: found.brier, main=False)
ECE_SCALED = _after(calibration.ECE, lambda found: found.ece, main=False)
OVERCONFIDENCE_SCALED = _after(
    calibration.OVERCONFIDENCE, lambda found: found.overconfidence, main=False
)
UNDERCONFIDENCE_SCALED = _after(
    calibration.UNDERCONFIDENCE, lambda found: found.underconfidence, main=False
)
EQUAL_MASS_SCALED = _after(calibration.EQUAL_MASS, lambda found: found.equal_mass, main=False)
SMOOTH_SCALED = _after(calibration.SMOOTH, lambda found: found.smooth, main=False)
CLASSWISE_SCALED = _after(calibration.CLASSWISE, lambda found: found.classwise, main=False)
USED = Measure(
    name="temperature",
    label="Temperature",
    help="the number that all logits are divided by for the least NLL: above 1 where a model is "
    "too sure of itself, below 1 where it is not sure enough; fitted on the validation part, or "
    "where there is none the geometric mean of those of the two halves of the test set",
    better="neither",
    detail=True,
    bounds=(0.0, None),
    accumulation=_SCALED,
    value=lambda found: found.temperature,
)
TEMPERATURE = Record(
    name="temperature",
    splits=("validation",),
    accumulation=Accumulation(
        build=lambda context: Temperature(context.num_classes),
        update=lambda metric, outputs: metric.update(
            outputs.logits, outputs.true_labels, outputs.ids
        ),
    ),
    value=lambda temperature: temperature,
)
"""0-dimensional: what the test set's logits are divided by."""
