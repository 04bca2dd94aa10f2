"""
A linear probe over its penalty
===============================

What logistic regression reads out of frozen features, and why one penalty is not enough.
"""

from dataclasses import replace

from maxsup.data import DataSettings
from maxsup.figures import ProbeCurve, probe_figure, swatch
from maxsup.inspection import inspect
from maxsup.measures import NARROW_RANGE
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
curves = []
for number, (name, label) in enumerate(labels.items()):
    of_method = [
        model["details"]["probe"][0] for model in inspection["models"] if model["method"] == name
    ]
    by_l2 = zip(*(each["validation"] for each in of_method), strict=True)
    curves.append(
        ProbeCurve(
            number,
            label,
            accuracy=[100 * sum(values) / len(values) for values in by_l2],
            chosen=[
                (each["chosen"]["l2"], 100 * each["chosen"]["validation"]) for each in of_method
            ],
        )
    )
probe = probe_figure("probe", "Its own classes", of_method[0]["l2"], curves, NARROW_RANGE)
legend = {label: swatch(number, "probe") for number, label in enumerate(labels.values())}

# %%
# *How to read it.* Lines are the accuracy on a held-out part of the training samples for each
# penalty, marks what each seed chose. Methods leave features of different size and spread, so that
# a penalty which is weak for one is strong for another. The shaded narrow range begins at 0.01: a
# method whose curve has fallen there already is judged by the range and not by its features. That
# is how :doc:`two versions of one table </measures/transfer>` came to differ by 6 points.
