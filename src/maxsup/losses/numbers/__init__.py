"""The few numbers of the logits that objectives are made of, and the backends that compute them."""

from maxsup.losses.numbers._choose import BACKENDS, backend, by_hand, gap_sum, numbers
from maxsup.losses.numbers._names import Name
from maxsup.losses.numbers._top import top_class
from maxsup.losses.numbers.plain import at_target, scaled

__all__ = [
    "BACKENDS",
    "Name",
    "at_target",
    "backend",
    "by_hand",
    "gap_sum",
    "numbers",
    "scaled",
    "top_class",
]
