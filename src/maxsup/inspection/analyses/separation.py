"""Which classes have collapsed most, and which least, with images of both."""

from typing import Any

from torch import Tensor

from maxsup.data import small_pictures
from maxsup.evaluation import Outputs
from maxsup.inspection._analysis import Analysis, Findings
from maxsup.inspection._settings import InspectionSettings
from maxsup.inspection._subject import Subject
from maxsup.measures import class_spread, extreme_samples

_CLASSES = 3
"""Classes that are shown of the most collapsed, and of the most spread."""
_IMAGES = 4
"""Images of each that are shown nearest to the class's mean, and farthest from it."""
_FEWEST = 2
"""Samples from which on a class has a spread."""
_PARTS = ("test", "train")


def _run(subject: Subject, settings: InspectionSettings) -> Findings | None:
    """Each class's within-class distance, and the samples at both ends of some classes."""
    details: dict[str, Any] = {}
    for part in _PARTS:
        outputs = subject.outputs(part)  # type: ignore[arg-type]
        if outputs is None or outputs.features is None:
            continue
        spread = class_spread(outputs.features, outputs.true_labels, outputs.num_classes)
        details[part] = {
            "within": [None if each != each else round(each, 5) for each in spread.within.tolist()],
            "samples": spread.samples.tolist(),
        }
        if part == "test":
            details["shown"] = _shown(subject, outputs, spread.within, spread.samples)
    return Findings(details=details) if details else None


def _shown(
    subject: Subject, outputs: Outputs, within: Tensor, samples: Tensor
) -> dict[str, list[dict[str, Any]]]:
    """The test samples at both ends of the most collapsed classes and of the most spread."""
    several = (samples >= _FEWEST).nonzero().flatten()
    order = several[within[several].argsort(stable=True)].tolist()
    # No class is both.
    half = len(order) // 2
    chosen = {
        "collapsed": order[: min(_CLASSES, len(order) - half)],
        "spread": order[::-1][: min(_CLASSES, half)],
    }
    images = subject.images("test")
    shown: dict[str, list[dict[str, Any]]] = {}
    assert outputs.features is not None
    for kind, classes in chosen.items():
        shown[kind] = []
        for label in classes:
            found = extreme_samples(outputs.features, outputs.true_labels, label, _IMAGES)
            # In a small class no image is shown as both.
            count = min(_IMAGES, int(samples[label]) // 2)
            ends = {
                "nearest": (found.nearest[:count], found.nearest_cosines),
                "farthest": (found.farthest[:count], found.farthest_cosines),
            }
            shown[kind].append(
                {
                    "class": label,
                    **{name: _of_end(outputs, images, *end) for name, end in ends.items()},
                }
            )
    return shown


def _of_end(outputs: Outputs, images: Any, index: Tensor, cosines: Tensor) -> list[dict[str, Any]]:
    ids = outputs.ids[index].tolist()
    predicted = outputs.logits[index].argmax(dim=1).tolist()
    pictures = {} if images is None else dict(small_pictures(images, ids))
    return [
        {
            "id": sample,
            "cosine": round(cosine, 4),
            "predicted": of_sample,
            "picture": pictures.get(sample),
        }
        for sample, cosine, of_sample in zip(ids, cosines.tolist(), predicted, strict=False)
    ]


SEPARATION = Analysis(name="separation", facts=(), run=_run)
