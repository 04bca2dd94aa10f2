"""
Which classes are confused
==========================

True class against predicted class, a square for each confusion.
"""

from dataclasses import replace

from maxsup.data import DataSettings
from maxsup.figures import confusion_figure
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
per_class, classes = results["per_class"], results["data"]["classes"]
fractions = {}
for name, confusions in per_class["confused"].items():
    seeds = len(per_class["seeds"][name])
    fractions[name] = [
        (true, predicted, count / (seeds * per_class["images"][true]))
        for true, predicted, count in confusions
    ]
top = max(fraction for of_method in fractions.values() for *_, fraction in of_method)
pictures = [
    confusion_figure(
        f"confusion-{number}", method["label"], number, fractions[method["name"]], classes, top
    )
    for number, method in enumerate(results["methods"])
]

# %%
# *How to read it.* A row is a true class, a column what it was taken for; right answers are left
# out, as they would outshine the rest. The area of a square is the fraction of the class's images,
# over all seeds, on one scale for all methods. Squares on both sides of the diagonal are two
# classes that look alike; a full column is a class that the model falls back to.
