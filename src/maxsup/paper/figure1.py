"""Figure 1: the overview, which puts features beside class activation maps."""

from maxsup.paper._entry import Entry, Remark
from maxsup.paper.figure3 import ENTRY as FIGURE3
from maxsup.paper.figure5 import ENTRY as FIGURE5

ENTRY = Entry(
    name="figure1",
    title="Figure 1",
    shows="Overview: features keep their variation, and maps lie on the object.",
    columns=(*FIGURE5.columns, *FIGURE3.columns),
    methods=FIGURE3.methods,
    stated=(*FIGURE5.stated, *FIGURE3.stated),
    remarks=(Remark("It shows in small what Figures 3 to 5 show."),),
)
