from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from maxsup.measures._check import check_at_least, check_labels, check_rows


class SoftConfusion(Metric):
    """Mean predicted probabilities for each true class, over batches and processes.

    Row i is Σ q(x)/N_i over the N_i samples x of class i, with q = softmax of the logits in
    float64. Unlike counts of mistakes it ranks how easily classes are confused even where a model
    makes no mistake.

    Args:
        num_classes: K, at least 2.
        **kwargs: Of :class:`torchmetrics.Metric`, such as ``sync_on_compute``.

    Raises:
        ValueError: ``num_classes`` is no such number; in ``update``, a shape, dtype or label is
            wrong.

    Example:
        >>> metric = SoftConfusion(2)
        >>> metric.update(torch.zeros(3, 2), torch.tensor([0, 1, 1]))
        >>> metric.compute().tolist()
        [[0.5, 0.5], [0.5, 0.5]]
    """

    full_state_update = False
    higher_is_better = None
    is_differentiable = False
    sums: Tensor
    counts: Tensor

    def __init__(self, num_classes: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_at_least("num_classes", num_classes, 2)
        self.num_classes = num_classes
        sums = torch.zeros(num_classes, num_classes, dtype=torch.float64)
        counts = torch.zeros(num_classes, dtype=torch.int64)
        self.add_state("sums", sums, dist_reduce_fx="sum")
        self.add_state("counts", counts, dist_reduce_fx="sum")

    def update(self, logits: Tensor, labels: Tensor) -> None:
        """Add a batch: logits (N, K) of any floating dtype, class indices (N,)."""
        check_rows("logits", logits, columns=self.num_classes)
        check_labels(labels, len(logits), self.num_classes)
        labels = labels.long()
        self.sums.index_add_(0, labels, logits.double().softmax(dim=1))
        self.counts.index_add_(0, labels, torch.ones_like(labels))

    def compute(self) -> Tensor:
        """(K, K) float64: row i has the mean probabilities over class i; 0 without samples."""
        return self.sums / self.counts.clamp(min=1).unsqueeze(1)


def three_confused(confusion: Tensor) -> tuple[int, int, int]:
    """Three classes that are confused with each other, found greedily.

    The two classes with the most probability between them, in both directions together (the lower
    index first), and the class with the most between it and these two. Of equals the lowest.

    Args:
        confusion: (K, K), K ≥ 3, as :class:`SoftConfusion` has it; finite.

    Returns:
        Three different class indices.

    Raises:
        ValueError: The shape is another, or an entry is not finite.

    Example:
        >>> three_confused(torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.9, 0.0], [0.0, 0.0, 1.0]]))
        (0, 1, 2)
    """
    shape = tuple(confusion.shape)
    if len(shape) != 2 or shape[0] != shape[1] or shape[0] < 3:
        raise ValueError(f"confusion must have shape (K, K) with K >= 3 classes; got {shape}.")
    if not confusion.isfinite().all():
        raise ValueError(
            "confusion holds NaN or infinite entries, so its classes cannot be ranked; were the "
            "logits finite?"
        )
    confusion = confusion.double()
    between = (confusion + confusion.T).fill_diagonal_(-torch.inf)
    first, second = divmod(int(between.argmax()), shape[0])
    # The diagonal's −inf keeps the two themselves out.
    return first, second, int((between[first] + between[second]).argmax())
