"""The page of an inspection: one file that needs nothing else."""

from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from maxsup._files import write_text
from maxsup._places import as_place
from maxsup.report._shell import render_shell
from maxsup.report._templates import render_template
from maxsup.report._words import Word
from maxsup.report.inspection import INSPECTION_PAGE

if TYPE_CHECKING:
    from maxsup.inspection import Inspection


def write_inspection_page(inspection: "Inspection", path: Path | str) -> None:
    """Write an inspection's page, atomically; like a study's it is one file that loads nothing.

    Args:
        inspection: What :func:`maxsup.inspection.inspect` returned.
        path: The file to write, a path or a URL.

    Raises:
        OSError: The file could not be written; a former page is intact.
    """
    place = as_place(path)
    html = render_inspection(inspection)
    place.parent.mkdir(parents=True, exist_ok=True)
    write_text(place, html)


def render_inspection(inspection: "Inspection") -> str:
    """The inspection's page as HTML."""
    labels = ", ".join(group["label"] for group in inspection["methods"])
    rendered = (section.render(inspection) for section in INSPECTION_PAGE)
    words = _words()
    header = render_template(
        "inspection/header.html.j2", {"inspection": inspection, "words": words}
    )
    return render_shell(
        title=f"Inside {labels}",
        header=header,
        sections=[section for section in rendered if section is not None],
        footer=f"Made by maxsup {inspection['versions']['maxsup']}. Every number on this page is "
        "in inspection.json beside it.",
        below=_explanations(inspection, words),
    )


def _explanations(inspection: "Inspection", words: list[Word]) -> Markup:
    return render_template(
        "explained.html.j2", {"measures": inspection["measures"], "words": words}
    )


def _words() -> list[Word]:
    return [
        Word(
            "difference",
            "Difference",
            "the group minus the first one: seed by seed and of these the mean, where both have "
            "several seeds.",
        ),
        Word(
            "interval",
            "95 % interval",
            "over seeds: where the value would lie over very many seeds (Student’s t). Over "
            "samples: where it would lie if other test samples of the same population were taken, "
            "for this very model (bootstrap: ± 1.96 standard deviations over samples drawn anew). "
            "Each stands for itself: of many, some lie beyond 0 by chance.",
        ),
        Word(
            "features",
            "Features",
            "what a model’s last layer is given: the penultimate activations, averaged over the "
            "image’s positions.",
        ),
    ]
