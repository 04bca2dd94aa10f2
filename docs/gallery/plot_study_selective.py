"""
Risk and coverage
=================

The error among the images that are answered, if those of least confidence are set aside.
"""

from dataclasses import replace

from maxsup.data import DataSettings
from maxsup.figures import risk_coverage_figure, swatch
from maxsup.recipes import get_recipe
from maxsup.study import StudySettings, compare

study = StudySettings(
    DataSettings("digits", label_noise=0.4),
    replace(get_recipe("digits"), epochs=6),
    methods=("baseline", "label-smoothing", "maxsup"),
    seeds=(0, 1, 2),
)
results = compare(study, "runs/digits")
labels = {method["name"]: method["label"] for method in results["methods"]}

# %%
curves = {name: [] for name in labels}
for run in results["runs"]:
    curves[run["method"]].append([100 * risk for risk in run["risk_coverage"]])
curve = risk_coverage_figure("risk-coverage", curves, labels)
legend = {label: swatch(number, "selective") for number, label in enumerate(labels.values())}

# %%
# *How to read it.* At the right end every image is answered, and the curve ends at the error. To
# the left only the most confident ones are: a curve that falls fast tells its mistakes from its
# hits. Bands reach from the lowest to the highest seed. Steps at the far left are single images.
# The mean height is the :doc:`AURC </measures/selective>`; the level of the confidence plays no
# part in it.
