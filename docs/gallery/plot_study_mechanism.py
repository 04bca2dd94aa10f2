"""
The mechanism in training
=========================

What label smoothing and MaxSup differ in: the images that are wrong while they are trained on.
"""

from dataclasses import replace

from maxsup.data import DataSettings
from maxsup.figures import curve_figure, swatch
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
shown = {
    "train_wrong": "Fraction wrong in training",
    "train_error_enhancement": "Error enhancement, α = 1",
    "train_regularization": "Regularization, α = 1",
    "train_logit_gap_wrong": "z_max − z_gt where wrong",
}
pictures = []
for key, title in shown.items():
    curves = {name: [] for name in labels}
    for run in results["runs"]:
        curves[run["method"]].append([row[key] for row in run["history"]])
    pictures.append(curve_figure(key.replace("_", "-"), title, curves, labels))
legend = {label: swatch(number, "mechanism") for number, label in enumerate(labels.values())}

# %%
# *How to read it.* Label smoothing's penalty is the sum of the regularization, at least 0, and the
# error enhancement, at most 0, which is there for wrong images alone: the further down it goes, the
# more label smoothing is paid for making them worse. MaxSup has no such term. Both numbers are
# taken of every method's logits with α = 1, so that they can be compared. Read the first picture
# first: where next to nothing is wrong in training, the two methods are next to the same. Here
# 40 % of the labels are, so that most models stay wrong about them to the end.
