"""
The pull on a wrong answer
==========================

Label smoothing and MaxSup on an example that the model gets wrong: where each pulls the logits,
and what the loss looks like around there.
"""

import torch
from matplotlib.figure import Figure

import maxsup

# %%
# One example of five classes. The true class is the second, and the first has the largest logit.
logits = torch.tensor([[3.0, 1.5, 0.5, 0.0, -0.5]])
true = torch.tensor([1])
objectives = {
    "Label smoothing": maxsup.LabelSmoothingLoss(0.1, reduction="none"),
    "MaxSup": maxsup.MaxSupLoss(0.1, reduction="none"),
}


def pull(objective, at, target):
    """Where a step goes by what the objective adds to the cross-entropy, for each example."""
    at = at.clone().requires_grad_()
    added = objective(at, target) - maxsup.CrossEntropyLoss(reduction="none")(at, target)
    return -torch.autograd.grad(added.sum(), at)[0]


bars = Figure(figsize=(4.6, 3.2), layout="constrained")
bars.set_label(
    "Pull on each of five logits. Label smoothing pulls the true class down and all others up, the "
    "wrong answer too; MaxSup pulls the wrong answer down and the true class up."
)
axes = bars.add_subplot()
for number, (name, objective) in enumerate(objectives.items()):
    places = [each + 0.4 * number - 0.2 for each in range(5)]
    axes.bar(places, pull(objective, logits, true)[0], width=0.38, label=name)
axes.axhline(0, color="black", linewidth=0.8)
axes.set_xticks(range(5), ["top,\nwrong", "true", "other", "other", "other"])
axes.set_ylabel("pull on the logit")
axes.legend(frameon=False)

# %%
# *How to read it.* A bar upwards is a logit that a step raises. Label smoothing lowers the true
# class alone and raises all others by the same, the wrong answer among them: the mistake grows.
# MaxSup lowers the largest logit, whichever class it is of, and so raises the true class. Where
# the model is right, the largest logit is the true class's, and both do the same.
#
# Below, the whole loss of the two logits that matter, the others held at 0: darker is lower, and
# arrows are the pull of what is added to the cross-entropy, drawn at one length. Right of the
# dashed diagonal the true class is ahead of this wrong one; in the lower left corner, where both
# are below 0, the others are ahead of both.
side = torch.linspace(-3, 3, 41)
grid = torch.stack(torch.meshgrid(side, side, indexing="xy"), dim=-1).reshape(-1, 2)
places = torch.cat([grid, torch.zeros(len(grid), 3)], dim=1)
of_true = torch.zeros(len(grid), dtype=torch.int64)
landscapes = {}
for name, objective in objectives.items():
    figure = Figure(figsize=(4.2, 3.9), layout="constrained")
    figure.set_label(
        f"Loss of {name.lower()} over the true class's logit and a wrong one's, with arrows where "
        "its penalty pulls."
    )
    axes = figure.add_subplot()
    losses = objective(places, of_true).reshape(41, 41)
    axes.contourf(side, side, losses, levels=14, cmap="viridis")
    every = torch.zeros(41, 41, dtype=torch.bool)
    every[3::7, 3::7] = True
    arrows = pull(objective, places, of_true)[every.flatten()][:, :2]
    arrows = arrows / arrows.norm(dim=1, keepdim=True)
    axes.quiver(*grid[every.flatten()].T, *arrows.T, color="#fdfdfd", scale=14, width=0.009)
    axes.plot(side, side, color="#fdfdfd", linestyle="dashed", linewidth=1.2)
    axes.set_aspect("equal")
    axes.set_xlabel("logit of the true class")
    axes.set_ylabel("logit of a wrong class")
    landscapes[name] = figure

# %%
# Left of the diagonal, the arrows of label smoothing go on pointing away from the right side;
# those of MaxSup turn round, and in the corner they raise both, as another is the largest. The
# cross-entropy is in both and by far the larger part of the loss, so the landscapes look alike:
# what differs is a small, steady pull.
