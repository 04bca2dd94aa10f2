"""Section: what was carried out, and how to do it again."""

from typing import TYPE_CHECKING, Any

from maxsup.report.reproduction.columns import ReproductionSection

if TYPE_CHECKING:
    from maxsup.paper import Reproduction


def _content(found: "Reproduction") -> dict[str, Any]:
    sources = dict.fromkeys(source for each in found["columns"] for source in each["sources"])
    return {"found": found, "sources": [*sources]}


REPEAT = ReproductionSection(
    anchor="repeat",
    heading="Repeat",
    title="What was carried out, and how to repeat it",
    folder="reproduction",
    content=_content,
)
