"""Other ranges of a growing α (later version)."""

from maxsup.paper._entry import Entry, Remark, columns_of, read_printed
from maxsup.paper._experiments import ACCURACY, IMAGENET_RESNET50
from maxsup.paper.table4 import ENTRY as TABLE4

_IN_TABLE4 = TABLE4.printed["maxsup:alpha=0.1..0.2", "imagenet-resnet50"].text

ENTRY = Entry(
    name="later-schedule",
    title="Ranges of α",
    shows="How much the two ends of the growing α matter.",
    columns=columns_of({"imagenet-resnet50": IMAGENET_RESNET50}, ACCURACY),
    printed=read_printed("""
                              imagenet-resnet50
        maxsup:alpha=0.1..0.2 77.65
        maxsup:alpha=0..0.1   77.62
        maxsup:alpha=0.2..0.3 77.43
    """),
    remarks=(
        Remark("One number a row, without its spread."),
        Remark(f"Table 4 prints {_IN_TABLE4} for the first row."),
    ),
    later=True,
)
