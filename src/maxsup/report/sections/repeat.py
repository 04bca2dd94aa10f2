"""The command that repeats the study, and the paper to cite."""

from maxsup.report.sections._shared import StudySection
from maxsup.results import Results

_CITATION = """@article{zhou2025maxsup,
  title   = {MaxSup: Overcoming Representation Collapse in Label Smoothing},
  author  = {Zhou, Yuxuan and Li, Heng and Cheng, Zhi-Qi and Yan, Xudong and Dong, Yifei and
             Fritz, Mario and Keuper, Margret},
  journal = {arXiv preprint arXiv:2502.15798},
  year    = {2025}
}"""


def _content(results: Results) -> dict[str, object]:
    asked = results["asked"]
    is_part = any(
        run["method"] not in asked["methods"] or run["seed"] not in asked["seeds"]
        for run in results["runs"]
    )
    predictions = results.get("predictions")
    trains = predictions is None or predictions["made_by"] is not None
    return {"results": results, "citation": _CITATION, "is_part": is_part, "trains": trains}


REPEAT = StudySection(
    anchor="repeat", heading="Repeat and cite", title="Repeat and cite", content=_content
)
