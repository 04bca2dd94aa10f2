from torch import Tensor

from maxsup._method_names import Ramp
from maxsup.losses._coefficient import Coefficient, Search
from maxsup.losses._loss import Loss
from maxsup.losses._method import Method
from maxsup.losses._smoothed_target import warn_of_smoothed_target
from maxsup.losses._weighted_sum import as_number, weighted_sum
from maxsup.schedules import Schedule

ALPHA = Coefficient("alpha", Ramp(0.1, 0.2), search=Search(0.02, 0.5))


def maxsup_loss(
    logits: Tensor,
    target: Tensor,
    alpha: float | Tensor = 0.1,
    weight: Tensor | None = None,
    ignore_index: int | None = -100,
    reduction: str = "mean",
) -> Tensor:
    """Cross-entropy + α·(z_max − z̄): Max Suppression (Zhou et al. 2025, Definition 3.5).

    Like label smoothing, but it is the largest logit that is pulled towards the mean, not the true
    class's. Where the model is right the two are the same; where it is wrong, MaxSup restrains the
    wrong answer while label smoothing makes it more confident.

    The gradient of the penalty is α·(1 − 1/K) at the largest logit and −α/K at the others; of tied
    logits the first is the largest.

    With probabilities as target (Mixup, CutMix, distillation) the cross-entropy is that of the soft
    target and the penalty is unchanged. For a target (λ, 1 − λ) the loss is then least where the
    two logits tie, whenever ``|2λ − 1| ≤ α``. Targets must come unsmoothed, or they are smoothed
    twice: timm's ``Mixup`` smooths them by 0.1 unless it is given ``label_smoothing=0``.

    Args:
        logits: Shape (N, K), (N, K, d1, ...) or (K,), any floating dtype; computed in float32 at
            least. A class whose logit is −inf is not available: it is left out of z̄.
        target: Class indices or probabilities; see :func:`cross_entropy_loss`.
        alpha: Coefficient of the penalty, a number ≥ 0 or a 0-dimensional tensor (not checked).
        weight: Class weights, shape (K,). A sample's whole loss, penalty included, is multiplied by
            Σ_k t_k·w_k, and ``mean`` divides by the sum of these. For probabilities torch's
            cross-entropy weighs class by class and divides by the batch size, which
            ``maxsup_loss(logits, target * weight)`` does for the cross-entropy here.
        ignore_index: Positions with this label give value and gradient 0 and count in no mean; None
            where no label is meant.
        reduction: ``none``, ``sum`` or ``mean``.

    Returns:
        0-dimensional, or one value per position for ``none``; float32, or float64 for such logits.
        Never negative, as z_max is not below z̄.

    Raises:
        ValueError: An argument's shape, dtype, label, name or range is not as described.

    Example:
        >>> import torch
        >>> right, wrong = torch.tensor([0]), torch.tensor([1])
        >>> logits = torch.tensor([[2.0, 0.0, 1.0]])
        >>> maxsup_loss(logits, right, alpha=0.1) - maxsup_loss(logits, right, alpha=0.0)
        tensor(0.1000)
        >>> maxsup_loss(logits, wrong, alpha=0.1) - maxsup_loss(logits, wrong, alpha=0.0)
        tensor(0.1000)
    """
    alpha = ALPHA.check(alpha)
    warn_of_smoothed_target(target, alpha)
    # z_max − z̄ is the largest log-probability less their mean.
    alpha = as_number(alpha)
    return weighted_sum(
        logits, target, weight, ignore_index, reduction, true=-1.0, top=alpha, mean=-alpha
    )


class MaxSupLoss(Loss):
    """MaxSup, where ``nn.CrossEntropyLoss(label_smoothing=0.1)`` stood.

    The module of :func:`maxsup.functional.maxsup_loss`, which has the formula. Where targets are
    mixed, see that they come unsmoothed: timm's ``Mixup(label_smoothing=0)``.

    Args:
        alpha: Coefficient of the penalty, ≥ 0, fixed or following a schedule; with a schedule, call
            ``step()`` once per optimiser step.
        weight: Class weights, shape (K,).
        ignore_index: Positions with this label give value and gradient 0 and count in no mean.
        reduction: ``none``, ``sum`` or ``mean``.

    Example:
        >>> import torch
        >>> import maxsup
        >>> criterion = MaxSupLoss(alpha=maxsup.schedules.linear(0.1, 0.2, steps=100))
        >>> criterion(torch.tensor([[2.0, 0.0, 1.0]]), torch.tensor([0]))
        tensor(0.5076)
        >>> criterion.step()
        >>> round(float(criterion.alpha), 4)
        0.101
    """

    function = staticmethod(maxsup_loss)

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


METHOD = Method(
    name="maxsup",
    label="MaxSup",
    summary="pulls down the largest logit, whether it is the true class's or not",
    build=lambda training, alpha: MaxSupLoss(alpha),
    page_file="maxsup.md",
    coefficients=(ALPHA,),
)
