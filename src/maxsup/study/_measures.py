"""The quantities that a study reports, in the order of its table."""

from typing import Literal

from maxsup.results.schema import MeasureFacts

PRIMARY = "test_accuracy"


def _measure(
    name: str,
    label: str,
    help: str,
    better: Literal["higher", "lower", "neither"],
    *,
    percent: bool = False,
    digits: int = 3,
) -> MeasureFacts:
    return MeasureFacts(
        name=name, label=label, help=help, better=better, percent=percent, digits=digits
    )


_SEPARATION = (
    ("d_within", "d within", "mean cosine distance between features of one class"),
    ("d_total", "d total", "mean cosine distance between features of all classes"),
    (
        "r2",
        "R²",
        "class separation 1 − d within / d total: near 1, each class is one tight cluster; "
        "very tight clusters tend to transfer worse",
    ),
)

MEASURES: tuple[MeasureFacts, ...] = (
    _measure(
        PRIMARY,
        "Accuracy",
        "share of test samples whose most probable class is the true one, after the last epoch",
        "higher",
        percent=True,
        digits=2,
    ),
    _measure(
        "test_nll",
        "NLL",
        "mean negative log-probability of the true class, in nats, on the test set",
        "lower",
        digits=4,
    ),
    _measure(
        "test_ece",
        "ECE",
        "expected calibration error: mean distance of accuracy from confidence over 15 equal bins "
        "of the confidence, weighted by their samples, over the whole test set at once",
        "lower",
        percent=True,
        digits=2,
    ),
    _measure(
        "test_brier",
        "Brier score",
        "mean squared distance of the predicted probabilities from the one-hot truth, summed over "
        "the classes, on the test set",
        "lower",
        digits=4,
    ),
    _measure(
        "test_confidence_wrong",
        "Confidence where wrong",
        "mean probability of the predicted class over the test samples it gets wrong",
        "lower",
        percent=True,
        digits=1,
    ),
    _measure(
        "test_confidence_right",
        "Confidence where right",
        "mean probability of the predicted class over the test samples it gets right",
        "neither",
        percent=True,
        digits=1,
    ),
    *(
        _measure(f"{part}_{name}", f"{label} ({part})", f"{help}, {on}", "neither")
        for part, on in (("test", "on the test set"), ("train", "on the training set"))
        for name, label, help in _SEPARATION
    ),
    _measure(
        "train_accuracy",
        "Training accuracy",
        "share of training samples, not augmented, whose most probable class is the label they "
        "were trained on",
        "neither",
        percent=True,
        digits=2,
    ),
)
