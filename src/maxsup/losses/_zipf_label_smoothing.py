import torch
from torch import Tensor

from maxsup.losses._coefficient import Coefficient, Search
from maxsup.losses._inputs import Inputs, read_inputs
from maxsup.losses._loss import Loss
from maxsup.losses._method import Method
from maxsup.losses._reduction import reduce
from maxsup.losses._smoothed_target import warn_of_smoothed_target
from maxsup.losses.numbers import numbers, scaled
from maxsup.schedules import Schedule

ALPHA = Coefficient("alpha", 0.1, search=Search(0.02, 0.5))


def zipf_label_smoothing_loss(
    logits: Tensor,
    target: Tensor,
    alpha: float | Tensor = 0.1,
    votes: Tensor | None = None,
    weight: Tensor | None = None,
    ignore_index: int | None = -100,
    reduction: str = "mean",
) -> Tensor:
    """Cross-entropy + α·KL(p ‖ softmax over the other classes): Zipf label smoothing.

    From Liang et al. 2022. The classes other than the target share the smoothing by Zipf's law:
    p_c ∝ 1/rank_c, renormalised without the target. Ranks are those of the votes, or of the logits
    where none are given; tied classes have the best of their ranks. p carries no gradient.

    Args:
        logits: Shape (N, K), (N, K, d1, ...) or (K,), any floating dtype; computed in float32 at
            least. A class whose logit is −inf is not available and has no rank.
        target: Class indices or probabilities; see :func:`cross_entropy_loss`. Under probabilities
            the class left out is the first of the most probable.
        alpha: Coefficient of the penalty (the paper's λ), a number ≥ 0 or a 0-dimensional tensor
            (not checked).
        votes: How often each class was chosen, shaped like the logits; see :func:`dense_votes`.
        weight: Class weights, shape (K,). A sample's whole loss, penalty included, is multiplied by
            Σ_k t_k·w_k, and ``mean`` divides by the sum of these.
        ignore_index: Positions with this label give value and gradient 0 and count in no mean.
        reduction: ``none``, ``sum`` or ``mean``.

    Returns:
        0-dimensional, or one value per position for ``none``; float32, or float64 for such logits.

    Raises:
        ValueError: An argument's shape, dtype, label, name or range is not as described.

    Example:
        >>> logits, target = torch.tensor([[2.0, 0.0, 1.0]]), torch.tensor([0])
        >>> penalized = zipf_label_smoothing_loss(logits, target, alpha=1.0)
        >>> penalized - zipf_label_smoothing_loss(logits, target, alpha=0.0)
        tensor(0.0403)
    """
    alpha = ALPHA.check(alpha)
    warn_of_smoothed_target(target, alpha)
    if votes is not None and votes.shape != logits.shape:
        raise ValueError(
            f"votes must be shaped like the logits, {tuple(logits.shape)}; "
            f"got {tuple(votes.shape)}."
        )
    inputs = read_inputs(logits, target, weight, ignore_index, reduction).widened()
    if votes is not None and inputs.single:
        votes = votes.unsqueeze(0)
    (true,) = numbers(inputs, "true")
    penalty = _divergence(inputs, votes)
    return reduce(scaled(alpha, penalty) - true, inputs, reduction)


def dense_votes(logit_map: Tensor) -> Tensor:
    """How often each class has the largest logit over the positions of a feature map.

    The classifier applied at every spatial position gives one vote each; they rank the classes for
    :func:`zipf_label_smoothing_loss` (Liang et al. 2022).

    Args:
        logit_map: Logits at every position, shape (N, K, d1, ...).

    Returns:
        Votes, shape (N, K), int64; each row sums to the number of positions.

    Example:
        >>> dense_votes(torch.tensor([[[0.0, 2.0, 3.0], [1.0, 0.0, 1.0]]]))
        tensor([[2, 1]])
    """
    if logit_map.dim() < 3:
        raise ValueError(
            f"logit_map must have shape (N, K, d1, ...); got {tuple(logit_map.shape)}."
        )
    chosen = logit_map.detach().flatten(2).argmax(dim=1)
    votes = torch.zeros(logit_map.shape[:2], dtype=torch.int64, device=logit_map.device)
    return votes.scatter_add(1, chosen, torch.ones_like(chosen))


def _divergence(inputs: Inputs, votes: Tensor | None) -> Tensor:
    """KL(p ‖ softmax over the other classes), (N, ...)."""
    logits = inputs.logits
    if inputs.labels is not None:
        left_out = inputs.labels
    else:
        assert inputs.probabilities is not None
        left_out = inputs.probabilities.detach().argmax(dim=1)
    classes = torch.arange(logits.shape[1], device=logits.device)
    classes = classes.reshape(-1, *[1] * (logits.dim() - 2))
    here = logits.detach() != -torch.inf
    among = here & (classes != left_out.unsqueeze(1))

    scores = logits.detach() if votes is None else votes.to(logits.dtype)
    zipf = torch.where(among, 1 / _ranks(torch.where(here, scores, -torch.inf)), 0.0)
    zipf = zipf / zipf.sum(dim=1, keepdim=True).clamp(min=torch.finfo(zipf.dtype).tiny)
    self_information = torch.special.xlogy(zipf, zipf).sum(dim=1)

    # Without other classes there is nothing to compare with; a 0 keeps the softmax from being NaN.
    some = among.any(dim=1)
    others = torch.where(among, logits, -torch.inf)
    others = torch.where(some.unsqueeze(1), others, 0.0)
    rest = inputs._replace(logits=others, labels=None, probabilities=zipf)
    (expected,) = numbers(rest, "true")
    spoilt = logits.detach().amax(dim=1)
    return torch.where(some, self_information - expected, 0.0) + (spoilt - spoilt)


def _ranks(scores: Tensor) -> Tensor:
    """1 for the largest score along axis 1, ties sharing the best of their ranks."""
    values = scores.movedim(1, -1)
    ordered, order = values.sort(dim=-1, descending=True, stable=True)
    indices = torch.arange(1, values.shape[-1] + 1, device=scores.device)
    # A run of equal scores has the rank of its first.
    new = torch.where(ordered[..., 1:] < ordered[..., :-1], indices[1:], 1)
    first = torch.cat((torch.ones_like(order[..., :1]), new), dim=-1).cummax(dim=-1).values
    return first.gather(-1, order.argsort(dim=-1)).movedim(-1, 1).to(scores.dtype)


class ZipfLabelSmoothingLoss(Loss):
    """The module of :func:`maxsup.functional.zipf_label_smoothing_loss`.

    Args:
        alpha: Coefficient of the penalty, ≥ 0, fixed or following a schedule.
        weight: Class weights, shape (K,).
        ignore_index: Positions with this label give value and gradient 0 and count in no mean.
        reduction: ``none``, ``sum`` or ``mean``.

    Example:
        >>> criterion = ZipfLabelSmoothingLoss(alpha=1.0)
        >>> criterion(torch.tensor([[2.0, 0.0, 1.0]]), torch.tensor([0]))
        tensor(0.4479)
    """

    alpha: Tensor

    def __init__(
        self,
        alpha: float | Schedule = 0.1,
        *,
        weight: Tensor | None = None,
        ignore_index: int | None = -100,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, ignore_index=ignore_index, reduction=reduction)
        self.set_schedule(ALPHA, alpha)

    def forward(self, input: Tensor, target: Tensor, votes: Tensor | None = None) -> Tensor:
        """The objective's value; ``votes`` as :func:`maxsup.functional.dense_votes` counts them."""
        return zipf_label_smoothing_loss(
            input,
            target,
            **self._values_beside(input),
            votes=votes,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )


METHOD = Method(
    name="zipf-label-smoothing",
    label="Zipf label smoothing",
    summary="smooths by Zipf's law: the other classes' parts fall with their rank",
    build=lambda training, alpha: ZipfLabelSmoothingLoss(alpha),
    page_file="zipf_label_smoothing.md",
    coefficients=(ALPHA,),
)
