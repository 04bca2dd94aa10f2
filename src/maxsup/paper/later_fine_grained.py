"""Birds and cars, classes that are hard to tell apart (later version)."""

from maxsup.paper._entry import Entry, Remark, columns_of, read_printed
from maxsup.paper._experiments import ACCURACY, FINE_GRAINED
from maxsup.paper._remarks import GUESSED, ON_METHODS

ENTRY = Entry(
    name="later-fine-grained",
    title="Fine-grained classes",
    shows="Whether it helps where classes are hard to tell apart.",
    columns=columns_of(FINE_GRAINED, ACCURACY, ("CUB-200-2011", "Stanford Cars")),
    printed=read_printed("""
                                       cub   cars
        baseline                       80.88 90.27
        label-smoothing:alpha=0.1..0.2 81.96 91.64
        online-label-smoothing         82.33 91.96
        zipf-label-smoothing           81.40 90.99
        maxsup:alpha=0.1..0.2          82.53 92.25
    """),
    remarks=(
        GUESSED,
        *ON_METHODS,
        Remark("One number a row, without its spread or the number of seeds."),
    ),
    later=True,
)
