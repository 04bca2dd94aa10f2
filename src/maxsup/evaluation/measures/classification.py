"""Accuracy, likelihood and confidence; one pass over the probabilities serves them all."""

from maxsup.evaluation._measure import Accumulation, Measure
from maxsup.measures import Classification

_TRUE = Accumulation(
    build=lambda context: Classification(),
    update=lambda metric, outputs: metric.update(outputs.logits, outputs.true_labels),
)
_AS_TRAINED = Accumulation(
    build=lambda context: Classification(),
    update=lambda metric, outputs: metric.update(outputs.logits, outputs.labels),
)

ACCURACY = Measure(
    name="accuracy",
    label="Accuracy",
    help="fraction of {split} samples whose most probable class is the true one, after the last "
    "epoch",
    better="higher",
    headline=True,
    each_epoch=True,
    percent=True,
    digits=2,
    accumulation=_TRUE,
    value=lambda found: found.accuracy,
)
NLL = Measure(
    name="nll",
    label="NLL",
    help="mean negative log-probability of the true class, in nats, on the {split} set",
    better="lower",
    each_epoch=True,
    digits=4,
    bounds=(0.0, None),
    accumulation=_TRUE,
    value=lambda found: found.nll,
)
BRIER = Measure(
    name="brier",
    label="Brier score",
    help="mean squared distance of the predicted probabilities from the one-hot truth, summed over "
    "the classes, on the {split} set",
    better="lower",
    digits=4,
    bounds=(0.0, 2.0),
    accumulation=_TRUE,
    value=lambda found: found.brier,
)
CONFIDENCE_WRONG = Measure(
    name="confidence_wrong",
    label="Confidence where wrong",
    help="mean probability of the predicted class over the {split} samples it gets wrong",
    better="lower",
    headline=True,
    percent=True,
    digits=1,
    accumulation=_TRUE,
    value=lambda found: found.confidence_wrong,
)
CONFIDENCE_RIGHT = Measure(
    name="confidence_right",
    label="Confidence where right",
    help="mean probability of the predicted class over the {split} samples it gets right",
    better="neither",
    percent=True,
    digits=1,
    accumulation=_TRUE,
    value=lambda found: found.confidence_right,
)
TRAINING_ACCURACY = Measure(
    name="accuracy",
    label="Training accuracy",
    help="fraction of {split} samples, not augmented, whose most probable class is the label they "
    "were trained on",
    better="neither",
    splits=("train",),
    headline=True,
    percent=True,
    digits=2,
    accumulation=_AS_TRAINED,
    value=lambda found: found.accuracy,
)
