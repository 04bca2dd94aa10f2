"""
Features of three classes on a plane
====================================

Class separation as a picture: penultimate features of three classes, and its numbers.
"""

from dataclasses import replace

from maxsup.data import DataSettings
from maxsup.figures import projection_figure
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
# The three classes are those that the models confuse most on training data, so that no test image
# decides what is shown; see what was chosen, and how.
confused = results["confused"]
print(confused["chosen_by"])
names = [results["data"]["classes"][index] for index in confused["classes"]]

# %%
pictures = [
    projection_figure(
        f"projection-{number}",
        method["label"],
        confused["projections"][method["name"]]["points"],
        confused["projections"][method["name"]]["templates"],
        names,
    )
    for number, method in enumerate(results["methods"])
]

# %%
# *How to read it.* A small mark is a test image, a framed one the row of the last layer that stands
# for its class; the plane goes through these three. Tight clusters far apart are what a high
# :doc:`R² </measures/separation>` means. Two things the plane cannot show: what lies across it,
# and the other classes. The numbers are of all classes and all features:
for method in results["methods"]:
    found = {
        key: results["summary"][f"test_{key}"][method["name"]]["mean"]
        for key in ("d_within", "d_total", "r2")
    }
    print(f"{method['label']:>24}", {key: round(value, 3) for key, value in found.items()})
