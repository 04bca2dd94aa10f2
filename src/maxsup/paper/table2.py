"""Table 2: Table 9 without the distances over all classes (Section 4.1)."""

from maxsup.paper._entry import Entry
from maxsup.paper.table9 import ENTRY as TABLE9

_COLUMNS = ("within-train", "within-val", "r2-train", "r2-val")

ENTRY = Entry(
    name="table2",
    title="Table 2",
    shows="Whether features keep the variation within a class, and how well classes separate.",
    columns=tuple(TABLE9.column(name) for name in _COLUMNS),
    printed={key: value for key, value in TABLE9.printed.items() if key[1] in _COLUMNS},
    remarks=TABLE9.remarks,
)
