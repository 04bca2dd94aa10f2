"""Figures 4 and 5: features on the plane through three classes (Appendix G)."""

from dataclasses import replace

from maxsup.paper._entry import Claim, Column, Entry, Look, Measure, Remark
from maxsup.paper._experiments import D_WITHIN_TRAIN, IMAGENET_RESNET50, R2_TRAIN

_EXPERIMENT = replace(IMAGENET_RESNET50, look=Look(("projection", "separation")))
_SMOOTHED = "label-smoothing:alpha=0.1..0.2"
_SUPPRESSED = "maxsup:alpha=0.1..0.2"


def projection(name: str, title: str, part: str, within: Measure, between: Measure) -> Entry:
    """A figure of projected features, of one part of the data."""
    return Entry(
        name=name,
        title=title,
        shows=f"Features of three classes that are confused, {part} images, projected.",
        columns=(
            Column("within", within.label, _EXPERIMENT, within),
            Column("r2", between.label, _EXPERIMENT, between),
        ),
        methods=("baseline", _SMOOTHED, _SUPPRESSED),
        stated=tuple((each, Claim(_SUPPRESSED, _SMOOTHED, 1)) for each in ("within", "r2")),
        remarks=(
            Remark(
                "The text names no model. ResNet-50 is taken, of which Table 9 has numbers; the "
                "authors' read-me shows such a picture of DeiT-Small with CutMix and Mixup."
            ),
            Remark(
                "A picture of 80 images in each of three chosen classes; what is said of it, more "
                "variation within classes that separate better, is measured over all classes."
            ),
            Remark(
                "A higher R² means that less of the variation lies within classes, so that both "
                "at once take a larger distance between classes."
            ),
        ),
    )


ENTRY = projection("figure4", "Figure 4", "training", D_WITHIN_TRAIN, R2_TRAIN)
