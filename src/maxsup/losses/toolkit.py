"""What the author of an objective needs: the parts that maxsup's own objectives are made of.

An objective is a function in four steps. :meth:`Coefficient.check` refuses a coefficient that makes
no sense and gives another as a plain number; :func:`read_inputs` checks logits, target and class
weights and brings them into one form, :class:`Inputs`; :func:`numbers` gives the few numbers of the
logits that the objective asks for, with their gradient in closed form; :func:`reduce` weighs, masks
and reduces one value per example. Reduction, class weights, ignored positions, soft targets, dense
input and precision are then as everywhere. Four more help where the numbers do not suffice:
:func:`gap_sum`, the distances of the logits to one of them; :func:`top_class`, the largest logit
and its index; :func:`at_target`, values per class at the target; :func:`wide`, a tensor in float32
at least.

A :class:`Coefficient` says once what is known of a coefficient: name, range, default, which may be
a :class:`Ramp` over the epochs, and the :class:`Search` in which a study that tunes looks for its
best value. A class that extends :class:`Loss` makes a module of the function,
and a :class:`Method`, whose ``build`` is given a :class:`Training` and each coefficient by name,
makes it known to studies by name. :func:`check_coefficient` is for those who declare none.

Example:
    >>> from maxsup.losses.toolkit import numbers, read_inputs, reduce
    >>> def entropy(logits, target, weight=None, ignore_index=-100, reduction="mean"):
    ...     inputs = read_inputs(logits, target, weight, ignore_index, reduction)
    ...     (found,) = numbers(inputs, "entropy")
    ...     return reduce(found, inputs, reduction)
    >>> import torch
    >>> entropy(torch.zeros(2, 4), torch.tensor([0, 1]))  # log 4
    tensor(1.3863)
"""

from maxsup._method_names import Ramp
from maxsup.losses._coefficient import Coefficient, Search, check_coefficient
from maxsup.losses._inputs import Inputs, read_inputs, wide
from maxsup.losses._loss import Loss
from maxsup.losses._method import Method, Training
from maxsup.losses._reduction import reduce
from maxsup.losses.numbers import at_target, gap_sum, numbers, top_class

__all__ = [
    "Coefficient",
    "Inputs",
    "Loss",
    "Method",
    "Ramp",
    "Search",
    "Training",
    "at_target",
    "check_coefficient",
    "gap_sum",
    "numbers",
    "read_inputs",
    "reduce",
    "top_class",
    "wide",
]
