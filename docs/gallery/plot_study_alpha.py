"""
The response to α
=================

Accuracy against MaxSup's strength, and what more trials of it would bring.
"""

from dataclasses import replace

from maxsup.data import DataSettings
from maxsup.figures import ResponsePoint, budget_figure, response_figure
from maxsup.recipes import get_recipe
from maxsup.statistics import expected_best
from maxsup.study import StudySettings, compare

strengths = (0.01, 0.03, 0.1, 0.3)
study = StudySettings(
    DataSettings("digits", label_noise=0.4),
    replace(get_recipe("digits"), epochs=6),
    methods=tuple(f"maxsup:alpha={alpha}" for alpha in strengths),
    seeds=(0, 1),
)
results = compare(study, "runs/alpha")

# %%
# Each strength is trained with two seeds. The best by its mean is marked.
accuracy = {}
for run in results["runs"]:
    alpha = float(run["method"].partition("=")[2])
    accuracy.setdefault(alpha, []).append(100 * run["values"]["test_accuracy"])
means = {alpha: sum(values) / len(values) for alpha, values in accuracy.items()}
best = max(means, key=means.get)
response = response_figure(
    "response",
    "MaxSup",
    "accuracy, %",
    "α",
    2,
    [
        ResponsePoint(alpha, line=1.0, values=values, is_chosen=alpha == best)
        for alpha, values in accuracy.items()
    ],
)

# %%
# *How to read it.* Small marks are seeds, large ones means, the line joins them. Where the seeds of
# one strength lie farther apart than the means of two, the peak is chance. A best strength at the
# end of what was tried says that a better one may lie beyond. In a real study ``--tune`` draws this
# of a *validation* part, and the chosen strength is then trained with fresh seeds; the best of
# several is otherwise better than it will be again.
curve = expected_best(list(means.values()), better="higher")
budget = budget_figure(
    "budget",
    "Expected best accuracy, %",
    {"maxsup": curve},
    {"maxsup": "MaxSup"},
    {"maxsup": 2},
)

# %%
# *How to read it.* What the best of 1, 2, … strengths, drawn at random from those tried, is on
# average. A method whose curve still rises at the right has been searched too little; two methods
# are compared fairly at the same number of trials.
