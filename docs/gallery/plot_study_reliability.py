"""
Reliability
===========

Does a model that is 80 % sure get 80 % right? Accuracy in bins of the confidence.
"""

from dataclasses import replace

from maxsup.data import DataSettings
from maxsup.figures import reliability_figure
from maxsup.recipes import get_recipe
from maxsup.study import StudySettings, compare

study = StudySettings(
    DataSettings("digits", label_noise=0.4),
    replace(get_recipe("digits"), epochs=6),
    methods=("baseline", "label-smoothing", "maxsup"),
    seeds=(0, 1, 2),
)
results = compare(study, "runs/digits")

# %%
first = {run["method"]: run for run in results["runs"] if run["seed"] == 0}
diagrams = [
    reliability_figure(
        f"reliability-{number}",
        method["label"],
        number,
        **first[method["name"]]["reliability"],
    )
    for number, method in enumerate(results["methods"])
]

# %%
# *How to read it.* A bar is the accuracy in a bin of the confidence, paler where the bin has few
# images; the dot on the diagonal is the bin's mean confidence. A bar above its dot is a model that
# is not sure enough. With wrong training labels every model here is, and a regulariser adds to it.
# The gap between bar and dot, weighted by the images, is the :doc:`ECE </measures/calibration>`;
# one temperature takes most of it away, which is why both are reported.
