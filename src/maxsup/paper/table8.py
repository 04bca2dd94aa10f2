"""Table 8: a constant α, and one that grows (Appendix F)."""

from maxsup.paper._entry import Entry, Remark, columns_of, read_printed
from maxsup.paper._experiments import ACCURACY, IMAGENET_DEIT_SMALL
from maxsup.paper.table1 import ENTRY as TABLE1
from maxsup.paper.table5 import ENTRY as TABLE5

_RISING = ("label-smoothing:alpha=0.1..0.2", "maxsup:alpha=0.1..0.2")
_SMOOTHED, _SUPPRESSED = (TABLE5.printed[name, "imagenet-deit-small"].value for name in _RISING)
_CONSTANT = ("baseline", "label-smoothing:alpha=0.1", "maxsup:alpha=0.1")

ENTRY = Entry(
    name="table8",
    title="Table 8",
    shows="Whether it helps to raise α from 0.1 to 0.2 during training.",
    columns=columns_of({"imagenet-deit-small": IMAGENET_DEIT_SMALL}, ACCURACY),
    printed={
        **{key: value for key, value in TABLE1.printed.items() if key[0] in _CONSTANT},
        **read_printed("""
                                           imagenet-deit-small
            label-smoothing:alpha=0.1..0.2 76.16
            maxsup:alpha=0.1..0.2          76.58
        """),
    },
    pairs=(
        ("label-smoothing:alpha=0.1..0.2", "label-smoothing:alpha=0.1"),
        ("maxsup:alpha=0.1..0.2", "maxsup:alpha=0.1"),
    ),
    remarks=(
        Remark(
            "The text means t/T; the authors' code has epoch/epochs, epoch/(epochs − 1) and a "
            "hard-coded epoch/299, and no schedule for label smoothing."
        ),
        Remark(
            f"With the same schedule Table 5 prints {_SMOOTHED:g} for label smoothing, and "
            f"{_SUPPRESSED:g} for MaxSup.",
            methods=_RISING,
        ),
    ),
)
