"""Cross-entropy + β·(z_max − z̄)²: like MaxSup, with a pull that grows with the distance."""

from torch import Tensor

from maxsup.losses.toolkit import Coefficient, Loss, Method, Search, numbers, read_inputs, reduce
from maxsup.schedules import Schedule

BETA = Coefficient("beta", default=0.01, highest=1.0, search=Search(0.001, 0.1))


def squared_maxsup_loss(
    logits: Tensor,
    target: Tensor,
    beta: float | Tensor = 0.01,
    weight: Tensor | None = None,
    ignore_index: int | None = -100,
    reduction: str = "mean",
) -> Tensor:
    """The objective of logits (N, K) or (N, K, d1, ...) and indices or probabilities."""
    beta = BETA.check(beta)
    inputs = read_inputs(logits, target, weight, ignore_index, reduction)
    true, top, mean = numbers(inputs, "true", "top", "mean")
    return reduce(beta * (top - mean).square() - true, inputs, reduction)


class SquaredMaxSupLoss(Loss):
    """The same as a module, whose β may follow a schedule."""

    function = staticmethod(squared_maxsup_loss)

    def __init__(
        self,
        beta: float | Schedule = 0.01,
        *,
        weight: Tensor | None = None,
        ignore_index: int | None = -100,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, ignore_index=ignore_index, reduction=reduction)
        self.set_schedule(BETA, beta)


METHOD = Method(
    name="squared-maxsup",
    label="Squared MaxSup",
    summary="pulls down the largest logit, the harder the further it lies above the mean",
    build=lambda training, beta: SquaredMaxSupLoss(beta),
    coefficients=(BETA,),
)
