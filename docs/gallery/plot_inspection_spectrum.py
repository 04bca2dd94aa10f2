"""
Spectra of features and of the last layer
=========================================

How many directions the features use, and whether classes have collapsed.
"""

from dataclasses import replace

from maxsup.data import DataSettings
from maxsup.figures import lowest_of_spectra, spectrum_figure, swatch
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

# %%
titles = {"train": "Training features", "test": "Test features", "layer": "Last layer"}
spectra = {part: {name: [] for name in labels} for part in titles}
for model in inspection["models"]:
    for part in titles:
        spectra[part][model["method"]].append(model["details"]["collapse"][part])
pictures = [
    spectrum_figure(
        f"spectrum-{part}", title, spectra[part], labels, lowest=lowest_of_spectra(spectra[part])
    )
    for part, title in titles.items()
]
legend = {label: swatch(number, "spectrum") for number, label in enumerate(labels.values())}

# %%
# *How to read it.* Singular values, each by the largest, both axes logarithmic. Ten classes that
# are points span nine directions: a cliff behind the ninth value is collapse, a slow decline is
# features that hold more than the class. The :doc:`effective rank </measures/collapse>` is one
# number of such a curve.
