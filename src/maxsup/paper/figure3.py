"""Figure 3 and Section 5.4: whether class activation maps lie on the object."""

from maxsup.paper._entry import Claim, Column, Entry, Experiment, Look, Measure, Remark
from maxsup.paper._experiments import IMAGENET_DEIT_SMALL

_EXPERIMENT = Experiment(
    IMAGENET_DEIT_SMALL.key,
    IMAGENET_DEIT_SMALL.recipe,
    IMAGENET_DEIT_SMALL.data,
    at_hand="scenes",
    look=Look(("grad-cam", "localization"), {"boxes": "objects.bbox"}),
)
_SMOOTHED = "label-smoothing:alpha=0.1..0.2"
_SUPPRESSED = "maxsup:alpha=0.1..0.2"


def _column(name: str, measure: str, label: str) -> Column:
    return Column(
        name, label, _EXPERIMENT, Measure(measure, label, source="inspection", percent=True)
    )


ENTRY = Entry(
    name="figure3",
    title="Figure 3 and Section 5.4",
    shows="Whether Grad-CAM's maps lie on the object and leave the rest out.",
    columns=(
        _column("energy", "test_pixel_energy", "Share of the map on the object, in %"),
        _column("pxap", "test_pxap", "Area under precision over recall, in %"),
    ),
    methods=("baseline", _SMOOTHED, _SUPPRESSED),
    stated=tuple(
        (column, Claim(_SUPPRESSED, against, 1))
        for column in ("energy", "pxap")
        for against in (_SMOOTHED, "baseline")
    ),
    remarks=(
        Remark(
            "Section 5.4 claims a higher precision at the same or a higher recall, without a "
            "number or a protocol. Of the precision speaks the share of a map that lies on the "
            "object; of both, at every threshold, the area under precision over recall."
        ),
        Remark("No code is published for the maps or for how they are measured."),
    ),
)
