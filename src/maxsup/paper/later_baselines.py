"""Two more methods on ImageNet (later version)."""

from maxsup.paper._entry import Entry, Remark, columns_of, read_printed
from maxsup.paper._experiments import ACCURACY, IMAGENET_RESNET50
from maxsup.paper.table4 import ENTRY as TABLE4

_COLUMN = "imagenet-resnet50"
_KNOWN = ("baseline", "maxsup:alpha=0.1..0.2")

ENTRY = Entry(
    name="later-baselines",
    title="More baselines",
    shows="Logit normalisation and the confidence penalty, beside MaxSup.",
    columns=columns_of({_COLUMN: IMAGENET_RESNET50}, ACCURACY),
    printed={
        **{(name, _COLUMN): TABLE4.printed[name, _COLUMN] for name in _KNOWN},
        **read_printed("""
                                        imagenet-resnet50
            logit-normalization         74.32
            confidence-penalty:beta=0.1 76.58±.12
        """),
    },
    remarks=(
        Remark(
            "The temperature of logit normalisation does not carry over between numbers of "
            "classes; which one was taken is not said.",
            methods=("logit-normalization",),
        ),
        Remark("The first two rows are those of Table 4."),
    ),
    later=True,
)
