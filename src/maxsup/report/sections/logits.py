"""The distribution of each method's logits (MaxSup paper, Figure 2)."""

from maxsup import figures
from maxsup.report.sections._shared import StudySection, gallery, labels_of, picture
from maxsup.results import Results


def _content(results: Results) -> dict[str, object] | None:
    logits = results["logits"]
    top = max((max(each["density"]) for each in logits.values()), default=0.0)
    return gallery(
        [
            picture(
                figures.logits_figure(
                    f"logits-{number}",
                    label,
                    number,
                    logits[name]["edges"],
                    logits[name]["density"],
                    1.05 * top,
                )
            )
            for number, (name, label) in enumerate(labels_of(results).items())
            if name in logits
        ]
    )


LOGITS = StudySection(
    anchor="logits", heading="Logits", title="Distribution of the logits", content=_content
)
