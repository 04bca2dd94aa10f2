"""
Errors under corruption
=======================

The error against the severity of noise, blur and weather, and kind by kind.
"""

from dataclasses import replace

from maxsup.data import DataSettings
from maxsup.figures import corruption_kinds_figure, severity_figure, swatch
from maxsup.inspection import InspectionSettings, inspect
from maxsup.recipes import get_recipe
from maxsup.study import StudySettings, compare

study = StudySettings(
    DataSettings("digits", label_noise=0.4),
    replace(get_recipe("digits"), epochs=6),
    methods=("baseline", "label-smoothing", "maxsup"),
    seeds=(0, 1, 2),
)
compare(study, "runs/digits")
kinds = ("gaussian_noise", "defocus_blur", "contrast", "pixelate")
inspection = inspect(
    [f"runs/digits/{method}/seed-0" for method in study.methods],
    InspectionSettings(
        corruptions=kinds, corruption_samples=300, resamples=0, skip=("probe", "projection")
    ),
)
labels = {method["name"]: method["label"] for method in inspection["methods"]}
found = {model["method"]: model["details"]["corruptions"] for model in inspection["models"]}

# %%
by_severity, by_kind = {}, {}
for name, each in found.items():
    errors = {kind: [100 * value for value in each["found"][kind]["error"]] for kind in kinds}
    means = [sum(values) / len(kinds) for values in zip(*errors.values(), strict=True)]
    by_severity[name] = [100 * each["clean"]["error"], *means]
    by_kind[name] = [sum(values) / len(values) for values in errors.values()]
pictures = [
    severity_figure("severity", by_severity, labels),
    corruption_kinds_figure("kinds", by_kind, kinds, labels),
]
legend = {label: swatch(number, "corruptions") for number, label in enumerate(labels.values())}

# %%
# *How to read it.* Severity 0 are the same images as they are: a line that begins lower ends lower
# by that alone, so look at how far each rises. Kinds differ more than methods do, and a mean over
# them hides that. 300 images of 8×8 pixels are an example of the picture, not of a result; of one
# seed a difference of a few images is chance.
