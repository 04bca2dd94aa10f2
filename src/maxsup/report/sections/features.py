"""Features of three confused classes, for each method (MaxSup paper, Appendix G)."""

from maxsup import figures
from maxsup.report.sections._shared import StudySection, labels_of, picture
from maxsup.results import Results


def _content(results: Results) -> dict[str, object] | None:
    confused = results["confused"]
    if confused is None:
        return None
    classes = [results["data"]["classes"][index] for index in confused["classes"]]
    pictures = [
        picture(
            figures.projection_figure(
                f"projection-{number}",
                label,
                confused["projections"][name]["points"],
                confused["projections"][name]["templates"],
                classes,
            ),
            f"Seed {confused['projections'][name]['seed']}.",
        )
        for number, (name, label) in enumerate(labels_of(results).items())
        if name in confused["projections"]
    ]
    return {"pictures": pictures, "chosen_by": confused["chosen_by"]} if pictures else None


FEATURES = StudySection(
    anchor="features",
    heading="Features",
    title="Features of three confused classes",
    content=_content,
)
