"""Seconds for an epoch (later version)."""

from maxsup.paper._entry import Claim, Column, Entry, Measure, Remark, read_printed
from maxsup.paper._experiments import IMAGENET_RESNET50

_ROWS = ("label-smoothing:alpha=0.1..0.2", "maxsup:alpha=0.1..0.2")

ENTRY = Entry(
    name="later-cost",
    title="Cost",
    shows="Whether the loss makes training slower.",
    columns=(
        Column(
            "seconds",
            "seconds per epoch",
            IMAGENET_RESNET50,
            Measure("seconds_per_epoch", "Seconds per epoch", source="timing", digits=3),
        ),
    ),
    printed=read_printed("""
                                       seconds
        baseline                       231
        label-smoothing:alpha=0.1..0.2 232
        maxsup:alpha=0.1..0.2          231
    """),
    stated=tuple(("seconds", Claim(method, "baseline", sign=0)) for method in _ROWS),
    remarks=(
        Remark(
            "Seconds are those of the machine; a difference of one in 231 is less than what two "
            "runs of the same method differ by."
        ),
    ),
    later=True,
)
