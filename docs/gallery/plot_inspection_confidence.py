"""
Confidence where right and where wrong
======================================

How sure each method leaves a model of its answers, and how far its mistakes lie ahead.
"""

from dataclasses import replace

import numpy as np

from maxsup.data import DataSettings
from maxsup.figures import confidence_figure, gap_figure
from maxsup.inspection import inspect
from maxsup.recipes import get_recipe
from maxsup.study import StudySettings, compare

study = StudySettings(
    DataSettings("digits", label_noise=0.4),
    replace(get_recipe("digits"), epochs=6),
    methods=("baseline", "label-smoothing", "maxsup"),
    seeds=(0, 1, 2),
)
compare(study, "runs/digits")
inspection = inspect(["runs/digits"], directory="runs/digits/inspection")
labels = {method["name"]: method["label"] for method in inspection["methods"]}
found = {
    model["method"]: model["details"]["confidence"]["train"]
    for model in inspection["models"]
    if model["seed"] == 0
}

# %%
top = max(max(*each["right"], *each["wrong"]) for each in found.values())
confidences = [
    confidence_figure(
        f"confidence-{number}", label, number, found[name]["right"], found[name]["wrong"], top
    )
    for number, (name, label) in enumerate(labels.items())
]

# %%
# *How to read it.* Filled is the confidence of right answers, the line that of wrong ones, each
# adding up to 1, here of training images and their true labels. The less the two overlap, the
# better the confidence tells a mistake; where both have moved to the left together, only the level
# has changed.
top = max(max(each["gap"]["fractions"]) for each in found.values())
gaps = [
    gap_figure(
        f"gap-{number}",
        label,
        number,
        np.linspace(0, found[name]["gap"]["high"], 41).tolist(),
        found[name]["gap"]["fractions"],
        top,
    )
    for number, (name, label) in enumerate(labels.items())
]

# %%
# *How to read it.* How far the wrong answer's logit lies above the true class's, of wrong images.
# Mind the axis, which ends at each method's largest gap: logits have no scale of their own.
