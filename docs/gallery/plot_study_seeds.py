"""
Accuracy of each seed, and differences
======================================

Every seed of every method, and each method's difference to the baseline with its interval.
"""

from dataclasses import replace

from maxsup.data import DataSettings
from maxsup.figures import differences_figure, seeds_figure
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
values = {name: {} for name in labels}
for run in results["runs"]:
    values[run["method"]][run["seed"]] = 100 * run["values"]["test_accuracy"]
means = {name: 100 * results["summary"]["test_accuracy"][name]["mean"] for name in labels}
seeds = seeds_figure(values, labels, means, "Accuracy on the test set, %")

# %%
# *How to read it.* A dot is a training, a bar a mean. Thin lines join the trainings of one seed,
# which had the same start and the same batches: where all of them lean the same way, so does the
# difference, however far the dots of one method lie apart.
differences = {}
for name in list(labels)[1:]:
    found = results["summary"]["test_accuracy"][name]["difference"]
    differences[name] = tuple(100 * found[key] for key in ("mean", "low", "high"))
against_baseline = differences_figure(differences, labels, 0.5, "points")

# %%
# *How to read it.* The interval is of the mean paired difference, by Student's t over the seeds. It
# must lie beyond 0 as a whole for "better", and within the shaded margin as a whole for "the same".
# With three seeds it is wide, and anything else is undecided.
