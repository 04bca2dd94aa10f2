"""What the numbers of the logits are called."""

from typing import Literal

from torch import Tensor

Name = Literal["true", "other", "top", "mean", "entropy", "squares"]
"""See :func:`maxsup.losses.numbers.numbers`."""

Factor = float | Tensor
"""What a number is multiplied by; a tensor is 0-dimensional."""
