import torch
from torch import Tensor

from maxsup.losses._inputs import check_reduction, wide


def distillation_loss(
    logits: Tensor,
    teacher_logits: Tensor,
    temperature: float = 4.0,
    reduction: str = "mean",
) -> Tensor:
    """T²·KL(p ‖ q) of p = softmax(teacher/T) to q = softmax(student/T) (Hinton et al. 2015).

    The factor T² keeps the gradient's size where the temperature changes, as that of the softened
    probabilities falls with 1/T². Training adds it to an objective in a weighted mean,
    (1 − w)·objective + w·T²·KL, with w = 0.9 and T = 4 as in Tian et al. 2020; Hinton et al. found
    "a considerably lower weight" of the objective best.

    Args:
        logits: The student's, shape (N, K), (N, K, d1, ...) or (K,), any floating dtype; computed
            in float32 at least.
        teacher_logits: The teacher's, of the same shape. No gradient reaches them.
        temperature: T > 0.
        reduction: ``none``, ``sum`` or ``mean``, which is over positions.

    Returns:
        0-dimensional, or one value per position for ``none``; float32, or float64 for such logits.
        A class that both have at −inf adds nothing; one that the student alone excludes, while the
        teacher gives it some probability, makes the value infinite.

    Raises:
        ValueError: Shapes differ, logits are not floating-point, or the temperature is not a finite
            number above 0.

    Example:
        >>> import maxsup
        >>> student, teacher = torch.tensor([[2.0, 0.0, 1.0]]), torch.tensor([[4.0, 0.0, 1.0]])
        >>> distillation_loss(student, teacher, temperature=2.0)
        tensor(0.4402)
        >>> objective = maxsup.functional.maxsup_loss(student, torch.tensor([0]))
        >>> loss = 0.1 * objective + 0.9 * distillation_loss(student, teacher)
    """
    check_reduction(reduction)
    for name, given in (("logits", logits), ("teacher_logits", teacher_logits)):
        if not isinstance(given, Tensor) or not given.is_floating_point() or given.dim() == 0:
            came = (
                f"{tuple(given.shape)} {given.dtype}"
                if isinstance(given, Tensor)
                else type(given).__name__
            )
            raise ValueError(
                f"{name} must be a floating-point tensor of shape (N, K), (N, K, d1, ...) or (K,); "
                f"got {came}."
            )
    if logits.shape != teacher_logits.shape:
        raise ValueError(
            "teacher_logits must have the shape of the logits, "
            f"{tuple(logits.shape)}; got {tuple(teacher_logits.shape)}."
        )
    if not 0 < temperature < float("inf"):
        raise ValueError(f"temperature must be a finite number above 0; got {temperature}.")
    axis = min(1, logits.dim() - 1)
    student = (wide(logits) / temperature).log_softmax(axis)
    teacher = (wide(teacher_logits.detach()) / temperature).log_softmax(axis).to(student.dtype)
    p = teacher.exp()
    # Where p is 0, which a NaN is not, nothing is lost; −inf must not meet −inf there.
    lost = torch.where(p == 0, 0.0, p * (torch.where(p == 0, 0.0, teacher) - student))
    values = temperature**2 * lost.sum(axis)
    if reduction == "none":
        return values
    if reduction == "sum" or values.numel() == 0:
        return values.sum()
    return values.mean()
