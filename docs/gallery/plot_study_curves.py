"""
Training curves
===============

Accuracy and loss over the epochs, in the window in which the methods come to differ.
"""

from dataclasses import replace

from maxsup.data import DataSettings
from maxsup.figures import curve_figure, curve_window, swatch
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
def over_epochs(key, factor=1.0):
    """A number of each epoch, of each method's runs."""
    curves = {name: [] for name in labels}
    for run in results["runs"]:
        curves[run["method"]].append([factor * row[key] for row in run["history"]])
    return curves


accuracy, loss = over_epochs("test_accuracy", 100), over_epochs("train_loss")
window, outside = curve_window(accuracy)
pictures = [
    curve_figure("accuracy", "Test accuracy in %", accuracy, labels, window=window),
    curve_figure("loss", "Training loss", loss, labels),
]
legend = {label: swatch(number, "curves") for number, label in enumerate(labels.values())}

# %%
# *How to read it.* Lines are means over seeds, bands reach from the lowest to the highest seed. The
# axis of the accuracy is that of the second half of the epochs; a method that diverged would be
# left outside and named. Training losses of different objectives are different numbers, each with
# its own penalty in it: they are there to see that a training has run as it should.
