import torch
from torch import Tensor

from maxsup.losses._coefficient import Coefficient, Search
from maxsup.losses._inputs import read_inputs
from maxsup.losses._loss import Loss
from maxsup.losses._method import Method
from maxsup.losses._reduction import reduce
from maxsup.losses.numbers import numbers
from maxsup.schedules import Schedule

TEMPERATURE = Coefficient("temperature", 0.04, open_below=True, search=Search(0.01, 0.16))


def logit_normalization_loss(
    logits: Tensor,
    target: Tensor,
    temperature: float | Tensor = 0.04,
    weight: Tensor | None = None,
    ignore_index: int | None = -100,
    reduction: str = "mean",
) -> Tensor:
    """Cross-entropy of z/((‖z‖ + 1e-7)·τ): logit normalization (Wei et al. 2022).

    Only the direction of the logits is trained, not their length. Like the logit penalty it depends
    on the common offset of the logits.

    Args:
        logits: Shape (N, K), (N, K, d1, ...) or (K,), any floating dtype; computed in float32 at
            least. A class whose logit is −inf is not available: it is left out of ‖z‖.
        target: Class indices or probabilities; see :func:`cross_entropy_loss`.
        temperature: τ, a number > 0 or a 0-dimensional tensor (not checked).
        weight: Class weights, shape (K,). A sample's whole loss is multiplied by Σ_k t_k·w_k, and
            ``mean`` divides by the sum of these.
        ignore_index: Positions with this label give value and gradient 0 and count in no mean.
        reduction: ``none``, ``sum`` or ``mean``.

    Returns:
        0-dimensional, or one value per position for ``none``; float32, or float64 for such logits.

    Raises:
        ValueError: An argument's shape, dtype, label, name or range is not as described.

    Example:
        >>> logits, target = torch.tensor([[3.0, 0.0, 4.0]]), torch.tensor([2])
        >>> logit_normalization_loss(logits, target, temperature=1.0)
        tensor(0.8189)
    """
    temperature = TEMPERATURE.check(temperature)
    inputs = read_inputs(logits, target, weight, ignore_index, reduction).widened()
    missing = inputs.logits == -torch.inf
    finite = torch.where(missing, 0.0, inputs.logits)
    # Its gradient is 0 where all logits are 0, as torch has it.
    length = torch.linalg.vector_norm(finite, dim=1, keepdim=True)
    scaled = finite / ((length + 1e-7) * temperature)
    inputs = inputs._replace(logits=torch.where(missing, -torch.inf, scaled))
    (true,) = numbers(inputs, "true")
    return reduce(-true, inputs, reduction)


class LogitNormalizationLoss(Loss):
    """The module of :func:`maxsup.functional.logit_normalization_loss`.

    Args:
        temperature: τ > 0, fixed or following a schedule.
        weight: Class weights, shape (K,).
        ignore_index: Positions with this label give value and gradient 0 and count in no mean.
        reduction: ``none``, ``sum`` or ``mean``.

    Example:
        >>> criterion = LogitNormalizationLoss(temperature=1.0)
        >>> criterion(torch.tensor([[3.0, 0.0, 4.0]]), torch.tensor([2]))
        tensor(0.8189)
    """

    function = staticmethod(logit_normalization_loss)

    temperature: Tensor

    def __init__(
        self,
        temperature: float | Schedule = 0.04,
        *,
        weight: Tensor | None = None,
        ignore_index: int | None = -100,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, ignore_index=ignore_index, reduction=reduction)
        self.set_schedule(TEMPERATURE, temperature)


METHOD = Method(
    name="logit-normalization",
    label="Logit normalization",
    summary="trains the direction of the logits alone, not their length",
    build=lambda training, temperature: LogitNormalizationLoss(temperature),
    page_file="logit_normalization.md",
    coefficients=(TEMPERATURE,),
)
