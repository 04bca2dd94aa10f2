"""Section: each column of the table, printed and measured, with what is concluded."""

from typing import TYPE_CHECKING, Any

from maxsup.report._section import Section
from maxsup.report.reproduction._shown import interval_of, measured_of, number_of, printed_of

if TYPE_CHECKING:
    from maxsup.paper import Reproduction
    from maxsup.paper.schema import ColumnFacts

ReproductionSection = Section["Reproduction"]


def heading_of(column: "ColumnFacts") -> str:
    """The column's label, and what is measured where that is not the same."""
    label, measure = column["label"], column["measure"]
    return label if label.startswith(measure) else f"{label}: {measure}"


def _on_all(column: "ColumnFacts", general: list[str]) -> list[str]:
    """The remarks on every comparison of the column, which stand above its tables once."""
    each = [claim["remarks"] for claim in column["claims"]]
    if len(each) < 2:  # beside the only one is the place
        return []
    return [
        remark
        for remark in each[0]
        if remark not in general and all(remark in others for others in each)
    ]


def _content(found: "Reproduction") -> dict[str, Any]:
    columns = found["columns"]
    common = {each["name"]: _on_all(each, found["remarks"]) for each in columns}
    return {
        "found": found,
        "headings": {each["name"]: heading_of(each) for each in columns},
        "has_printed": {
            each["name"]: any(row["printed"] is not None for row in each["rows"])
            for each in columns
        },
        "common": common,
        "remarked": {
            each["name"]: any(
                {*claim["remarks"]} - {*found["remarks"], *common[each["name"]]}
                for claim in each["claims"]
            )
            for each in columns
        },
        "labels": found["labels"],
        "number_of": number_of,
        "printed_of": printed_of,
        "measured_of": measured_of,
        "interval_of": interval_of,
    }


COLUMNS = ReproductionSection(
    anchor="columns",
    heading="Numbers",
    title="Printed and measured, side by side",
    folder="reproduction",
    content=_content,
)
