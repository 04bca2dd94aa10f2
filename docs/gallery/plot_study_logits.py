"""
Distribution of the logits
==========================

All logits of the test images under each method, as in Figure 2 of the MaxSup paper.
"""

from dataclasses import replace

from maxsup.data import DataSettings
from maxsup.figures import logits_figure
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
top = max(max(each["density"]) for each in results["logits"].values())
pictures = [
    logits_figure(
        f"logits-{number}",
        method["label"],
        number,
        results["logits"][method["name"]]["edges"],
        results["logits"][method["name"]]["density"],
        1.05 * top,
    )
    for number, method in enumerate(results["methods"])
]

# %%
# *How to read it.* All methods share their axes. A regulariser draws the logits together: the
# standard deviation, behind the name, falls. That is its purpose and by itself neither good nor
# bad; an offset or a scale of all logits is no difference in what a model knows.
