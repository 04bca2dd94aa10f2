"""The methods that can be compared, by name.

To add one, write a file with a :class:`Loss` and a :class:`Method`, and add its line to
``_BUILT_IN``; from outside the package, call :func:`register`.
"""

import difflib
import importlib
import runpy

from maxsup.losses import (
    _acls,
    _confidence_penalty,
    _cross_entropy,
    _dual_focal,
    _focal,
    _label_smoothing,
    _label_smoothing_terms,
    _logit_normalization,
    _logit_penalty,
    _margin_label_smoothing,
    _maxsup,
    _online_label_smoothing,
    _poly1,
    _zipf_label_smoothing,
)
from maxsup.losses._loss import Loss
from maxsup.losses._method import Method, Training

__all__ = [
    "Method",
    "Training",
    "all_methods",
    "build_criterion",
    "get_method",
    "load_plugin",
    "register",
]

_BUILT_IN = (
    _cross_entropy.METHOD,
    _label_smoothing.METHOD,
    _maxsup.METHOD,
    _online_label_smoothing.METHOD,
    _zipf_label_smoothing.METHOD,
    _confidence_penalty.METHOD,
    _logit_penalty.METHOD,
    _logit_normalization.METHOD,
    _margin_label_smoothing.METHOD,
    _focal.METHOD,
    _dual_focal.METHOD,
    _poly1.METHOD,
    _acls.METHOD,
    *_label_smoothing_terms.METHODS,
)
_METHODS = {method.name: method for method in _BUILT_IN}


def all_methods() -> tuple[Method, ...]:
    """Every method, the baseline first.

    >>> [method.name for method in all_methods()][:3]
    ['baseline', 'label-smoothing', 'maxsup']
    """
    return tuple(_METHODS.values())


def get_method(name: str) -> Method:
    """The method of that name.

    Raises:
        ValueError: There is none; the message lists those there are.

    >>> get_method("maxsup").label
    'MaxSup'
    """
    if name not in _METHODS:
        close = difflib.get_close_matches(name, _METHODS, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"No method is called {name!r}.{hint} There are: {', '.join(_METHODS)}.")
    return _METHODS[name]


def build_criterion(name: str, training: Training) -> Loss:
    """The method's criterion with its paper's defaults, for one training.

    Raises:
        ValueError: No method has that name.

    >>> build_criterion("maxsup", Training(num_classes=10, steps=100, steps_per_epoch=10))
    MaxSupLoss(alpha=0.1 → 0.2 (linear), reduction='mean')
    """
    return get_method(name).build(training)


def register(method: Method) -> Method:
    """Add a method, so that studies in this process know it by name.

    Raises:
        ValueError: A method of that name is there already.
    """
    if method.name in _METHODS:
        raise ValueError(f"A method called {method.name!r} is there already.")
    _METHODS[method.name] = method
    return method


def load_plugin(name: str) -> None:
    """Load a module, or a Python file, that registers methods."""
    if name.endswith(".py"):
        runpy.run_path(name)
    else:
        importlib.import_module(name)
