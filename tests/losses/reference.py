"""Every objective once more: in float64, one position at a time, straight from its formula.

A position has logits z (K,), a target t (K,), and class weights w (K,) or None. Classes with logit
−inf are taken out before a formula sees them.
"""

import bisect
import itertools
from collections.abc import Callable

import torch
from torch import Tensor

Formula = Callable[[Tensor, Tensor, Tensor | None, float], Tensor]


def _of_sample(t: Tensor, w: Tensor | None) -> float | Tensor:
    """What the whole loss of a sample is multiplied by."""
    return 1.0 if w is None else t @ w


def _log_softmax(z: Tensor) -> Tensor:
    shifted = z - z.detach().max()
    return shifted - shifted.exp().sum().log()


def plain_cross_entropy(z: Tensor, t: Tensor) -> Tensor:
    return -(t @ _log_softmax(z))


def _top(z: Tensor) -> Tensor:
    """The largest logit, the first of several."""
    values = z.tolist()
    return z[values.index(max(values))]


def _below(z: Tensor, t: Tensor) -> Tensor:
    gaps = t @ z - z
    return gaps[gaps > 0]


def _above(z: Tensor, t: Tensor) -> Tensor:
    gaps = t @ z - z
    return gaps[gaps < 0]


def _mean(gaps: Tensor) -> Tensor:
    return gaps.sum() / max(len(gaps), 1)


def cross_entropy(z, t, w, coefficient):
    return _of_sample(t, w) * plain_cross_entropy(z, t)


def label_smoothing(z, t, w, alpha):
    """H(s, q) with s = (1 − α)·t + α/K (Definition 3.1), weighted class by class as torch does."""
    smoothed = (1 - alpha) * t + alpha / len(z)
    return -(smoothed * (1.0 if w is None else w) * _log_softmax(z)).sum()


def regularization_term(z, t, w, alpha):
    return _of_sample(t, w) * alpha / len(z) * _below(z, t).sum()


def error_enhancement_term(z, t, w, alpha):
    return _of_sample(t, w) * alpha / len(z) * _above(z, t).sum()


def ls_regularization(z, t, w, alpha):
    return _of_sample(t, w) * (plain_cross_entropy(z, t) + alpha * _mean(_below(z, t)))


def ls_error_enhancement(z, t, w, alpha):
    return _of_sample(t, w) * (plain_cross_entropy(z, t) + alpha * _mean(_above(z, t)))


def ls_error_enhancement_top1(z, t, w, alpha):
    return _of_sample(t, w) * (plain_cross_entropy(z, t) + alpha * (t @ z - _top(z)))


def maxsup(z, t, w, alpha):
    return _of_sample(t, w) * (plain_cross_entropy(z, t) + alpha * (_top(z) - z.sum() / len(z)))


def confidence_penalty(z, t, w, beta):
    log_q = _log_softmax(z)
    return _of_sample(t, w) * (plain_cross_entropy(z, t) + beta * (log_q.exp() @ log_q))


def logit_penalty(z, t, w, beta):
    return _of_sample(t, w) * (plain_cross_entropy(z, t) + beta / 2 * (z @ z))


def margin_label_smoothing(z, t, w, alpha, margin=1.0):
    gaps = _top(z) - z - margin
    excess = gaps[gaps >= 0].sum() / len(z)
    return _of_sample(t, w) * (plain_cross_entropy(z, t) + alpha * excess)


def acls(z, t, w, alpha, margin=1.0, pos_lambda=1.0, neg_lambda=0.1):
    top = z.tolist().index(max(z.tolist()))
    others = [k for k in range(len(z)) if k != top]
    below = (z[top].detach() - z[others] - margin).relu().square().sum() / max(len(others), 1)
    penalty = pos_lambda * (z[top] - margin).relu().square() + neg_lambda * below
    return _of_sample(t, w) * (plain_cross_entropy(z, t) + alpha * penalty)


def _focused(doubt, gamma):
    return doubt.clamp(min=torch.finfo(torch.float32).tiny) ** gamma


def focal(z, t, w, gamma):
    log_q = _log_softmax(z)
    return _of_sample(t, w) * -(t * _focused(-torch.expm1(log_q), gamma) * log_q).sum()


def dual_focal(z, t, w, gamma):
    log_q, scores = _log_softmax(z), z.tolist()
    total = z[:0].sum()
    for k in t.nonzero().flatten().tolist():
        lower = [j for j, score in enumerate(scores) if score < scores[k]]
        below = log_q[max(lower, key=lambda j: (scores[j], -j))].exp() if lower else 0.0
        total = total - t[k] * _focused(below - torch.expm1(log_q[k]), gamma) * log_q[k]
    return _of_sample(t, w) * total


def poly1(z, t, w, epsilon):
    return _of_sample(t, w) * (
        plain_cross_entropy(z, t) - epsilon * (t @ torch.expm1(_log_softmax(z)))
    )


def logit_normalization(z, t, w, temperature):
    return _of_sample(t, w) * plain_cross_entropy(z / ((z.norm() + 1e-7) * temperature), t)


def zipf(z, t, w, alpha, votes=None):
    target = t.tolist().index(max(t.tolist()))
    scores = z.tolist() if votes is None else votes.tolist()
    others = [k for k in range(len(z)) if k != target]
    if not others:
        return _of_sample(t, w) * plain_cross_entropy(z, t)
    ordered = sorted(scores)
    ranks = [1 + len(scores) - bisect.bisect_right(ordered, scores[k]) for k in others]
    fraction = 1 / torch.tensor(ranks, dtype=torch.float64)
    fraction = fraction / fraction.sum()
    divergence = (fraction * (fraction.log() - _log_softmax(z[others]))).sum()
    return _of_sample(t, w) * (plain_cross_entropy(z, t) + alpha * divergence)


def evaluate(
    formula: Formula,
    logits: Tensor,
    target: Tensor,
    coefficient: float,
    *,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """The objective of a whole batch, float64; differentiable in float64 logits.

    Args:
        formula: One of this module's, for a single position.
        logits: (K,), (N, K) or (N, K, d1, ...).
        target: Class indices or probabilities.
        coefficient: α or β.
        weight: Class weights (K,).
        ignore_index: A label that does not count.
        reduction: ``none``, ``sum`` or ``mean``.
    """
    logits = logits.double()
    if logits.dim() == 1:
        value = evaluate(
            formula,
            logits.unsqueeze(0),
            target.unsqueeze(0),
            coefficient,
            weight=weight,
            ignore_index=ignore_index,
            reduction=reduction,
        )
        return value.squeeze(0) if reduction == "none" else value

    num_classes = logits.shape[1]
    per_class = None if weight is None else weight.double()
    shape = (logits.shape[0], *logits.shape[2:])
    values, sample_weights = [], []
    for n, *inner in itertools.product(*map(range, shape)):
        z = logits[(n, slice(None), *inner)]
        if target.is_floating_point():
            t = target[(n, slice(None), *inner)].double()
        else:
            label = int(target[(n, *inner)])
            if label == ignore_index:
                values.append(z[:0].sum())
                continue
            t = torch.tensor([float(k == label) for k in range(num_classes)], dtype=torch.float64)
        here = z != -torch.inf
        of_here = None if per_class is None else per_class[here]
        values.append(formula(z[here], t[here], of_here, coefficient))
        sample_weights.append(float(_of_sample(t, per_class)))

    stacked = torch.stack(values) if values else logits.sum(dim=1).flatten()
    if reduction == "none":
        return stacked.reshape(shape)
    if reduction == "sum":
        return stacked.sum()
    return stacked.sum() / (sum(sample_weights) or 1.0)
