"""Figure 2: how the logits are distributed (Section 4.2)."""

from dataclasses import replace

from maxsup.paper._entry import Claim, Column, Entry, Look, Measure, Remark
from maxsup.paper._experiments import IMAGENET_RESNET50

_EXPERIMENT = replace(IMAGENET_RESNET50, look=Look(("logits",)))
_SMOOTHED = "label-smoothing:alpha=0.1..0.2"
_SUPPRESSED = "maxsup:alpha=0.1..0.2"
_PENALTY = "logit-penalty"


def _column(name: str, measure: str, label: str) -> Column:
    return Column(name, label, _EXPERIMENT, Measure(measure, label, source="inspection"))


ENTRY = Entry(
    name="figure2",
    title="Figure 2",
    shows="The density of all logits of the validation images, by method.",
    columns=(
        _column("spread", "test_logit_all_std", "Standard deviation of all logits"),
        _column("range", "test_logit_all_range", "Range of all logits"),
    ),
    methods=("baseline", _SMOOTHED, _SUPPRESSED, _PENALTY),
    stated=tuple(
        (column, Claim(method, against, sign))
        for column in ("spread", "range")
        for method, against, sign in (
            (_PENALTY, "baseline", -1),
            (_SUPPRESSED, _PENALTY, 1),
        )
    ),
    remarks=(
        Remark(
            "The figure has no numbers: what the text says of it is that the logit penalty narrows "
            "the range, and that MaxSup keeps it broader."
        ),
    ),
)
