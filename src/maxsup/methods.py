"""The methods that can be compared, by name.

A method of one's own is a file with a :class:`Loss` and a :class:`Method`, made with what
:mod:`maxsup.losses.toolkit` offers. It becomes known by :func:`load_plugin`, which is given the
file, or by itself where an installed package names it in the entry-point group ``maxsup.methods``;
code calls :func:`register`.

Wherever a method is named, its coefficients may be set as well: ``maxsup:alpha=0.05``,
``maxsup:alpha=0.1..0.2`` for a linear schedule over the epochs, ``acls:alpha=0.1,margin=6``.
"""

import difflib
import hashlib
import importlib
import importlib.util
import os
import re
import sys
import warnings
from collections.abc import Iterable, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from maxsup._method_names import MethodName, Ramp, written
from maxsup._plugin_lines import import_failure, remember
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
from maxsup.losses._coefficient import Coefficient, Search
from maxsup.losses._loss import Loss
from maxsup.losses._method import Method, Training

__all__ = [
    "Coefficient",
    "Method",
    "Ramp",
    "Search",
    "Training",
    "all_methods",
    "build_criterion",
    "check_distinct",
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
_local: set[str] = set()
"""The methods that are known by a call in this process alone."""
_GROUP = "maxsup.methods"
_FILE_MODULE = "maxsup_plugin_"
"""What the name of a module begins with that is a plug-in's file."""


# The entry points that could not be loaded, each in a sentence; None before they are.
_failures: tuple[str, ...] | None = None


def all_methods() -> tuple[Method, ...]:
    """Every method, the baseline first, those of installed packages last.

    A package's entry point that cannot be loaded is named in a warning.

    >>> [method.name for method in all_methods()][:3]
    ['baseline', 'label-smoothing', 'maxsup']
    """
    _load_installed()
    return tuple(_METHODS.values())


def get_method(name: str) -> Method:
    """The method of that name, with the coefficients that the name sets.

    Raises:
        ValueError: There is none, or no such coefficient, or a value is out of its range; the
            message lists what there is, and the entry points that could not be loaded.

    >>> get_method("maxsup").label
    'MaxSup'
    >>> get_method("focal:gamma=2.0").name
    'focal:gamma=2'
    """
    asked = MethodName.read(name)
    method = _registered(asked.method)
    return method.at(dict(asked.coefficients)) if asked.coefficients else method


def check_distinct(names: Sequence[str]) -> None:
    """See that all of the names are those of methods, no two of which train the same.

    Raises:
        ValueError: One is not known or cannot be built, two have the same coefficients, or their
            runs would have one directory where letters' case does not count.
    """
    methods = [get_method(name) for name in names]
    for number, method in enumerate(methods):
        method.check_build()
        asked = MethodName.read(method.name)
        for earlier in methods[:number]:
            before = MethodName.read(earlier.name)
            if asked.method == before.method and method.values() == earlier.values():
                values = ", ".join(f"{k} {written(v)}" for k, v in method.values().items())
                raise ValueError(
                    f"{earlier.name} and {method.name} are the same method"
                    f"{f' with the same coefficients ({values})' if values else ''}; name one."
                )
            if asked.directory.casefold() == before.directory.casefold():
                raise ValueError(
                    f"{earlier.name} and {method.name} would be kept in one directory, "
                    f"{asked.directory}; compare them in two studies."
                )


def _registered(name: str) -> Method:
    failures = _load_installed()
    if name not in _METHODS:
        close = difflib.get_close_matches(name, _METHODS, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        if re.search(r"[=(]", name):
            hint = " Coefficients are written behind the name, as in maxsup:alpha=0.1."
        told = "".join(f" {failure}." for failure in failures)
        raise ValueError(
            f"No method is called {name!r}.{hint} There are: {', '.join(_METHODS)}. "
            f"A method of a plug-in needs --plugin FILE.{told}"
        )
    return _METHODS[name]


def build_criterion(name: str, training: Training) -> Loss:
    """The method's criterion for one training: with its defaults, but for what the name sets.

    Raises:
        ValueError: No method has that name, or no such coefficient or value.

    >>> build_criterion("maxsup", Training(num_classes=10, steps=100, steps_per_epoch=10))
    MaxSupLoss(alpha=0.1 of 0.1 → 0.2 (linear), reduction='mean')
    >>> build_criterion("maxsup:alpha=0.05", Training(num_classes=10, steps=1, steps_per_epoch=1))
    MaxSupLoss(alpha=0.05, reduction='mean')
    """
    return get_method(name).criterion(training)


def register(method: Method) -> Method:
    """Add a method, so that studies in this process know it by name.

    Raises:
        ValueError: A method of that name is there already.
    """
    if method.name in _METHODS:
        raise ValueError(f"A method called {method.name!r} is there already.")
    adopt(method)
    return method


def adopt(method: Method) -> None:
    """Add a method that another process has registered, in place of an earlier one of its name."""
    _METHODS[method.name] = method
    _local.add(method.name)


def forget_adopted() -> None:
    """Forget all methods that were registered or adopted here, as before another study."""
    for name in _local:
        _METHODS.pop(name, None)
    _local.clear()


def known_here_alone(name: str) -> Method | None:
    """The method without its coefficients, where another process does not find it by itself.

    It finds those that are built in, installed or plugged in.
    """
    method = MethodName.read(name).method
    return _METHODS[method] if method in _local else None


def load_plugin(module_or_file: str | Path) -> tuple[Method, ...]:
    """Import a module and register the methods it defines; again, it changes nothing.

    A file's module is kept under a name made of the file's absolute path, the same in every
    process; so what is pickled here can be read where the same file was loaded.

    Args:
        module_or_file: ``package.module``, or a file, ``path/to/file.py``. It defines ``METHOD``, a
            :class:`Method`, or ``METHODS``, several of them.

    Returns:
        Its methods.

    Raises:
        ValueError: There is no such module or file, it cannot be imported, it defines neither, a
            method's name is another's, or its criterion cannot be built.
    """
    if isinstance(module_or_file, Path) or re.search(r"\.py$|[/\\]", module_or_file):
        module = _import_file(module_or_file)
    else:
        module = _import_module(module_or_file)
    remember(module)
    try:
        return _register_together(_methods_in(module, module_or_file), str(module_or_file))
    except ValueError:
        if module.__name__.startswith(_FILE_MODULE):
            # So that the file is read again once it is mended.
            sys.modules.pop(module.__name__, None)
        raise


def _methods_in(module: ModuleType, module_or_file: str | Path) -> list[Method]:
    defined = vars(module)
    if "METHOD" not in defined and "METHODS" not in defined:
        raise ValueError(
            f"{module_or_file} defines neither METHOD, a maxsup.methods.Method, nor METHODS, "
            "several of them."
        )
    return [
        method
        for name in ("METHOD", "METHODS")
        if name in defined
        for method in _methods_of(defined[name], f"{name} of {module_or_file}")
    ]


def _import_file(plugin: str | Path) -> ModuleType:
    file = Path(plugin).resolve()
    if not file.is_file():
        raise ValueError(f"There is no file {file} to load methods from.")
    digest = hashlib.sha256(os.fsencode(file)).hexdigest()[:16]
    name = f"{_FILE_MODULE}{re.sub(r'[^A-Za-z0-9]', '_', file.stem)}_{digest}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ValueError(f"{file} is no Python file, whose name ends in .py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[name]
        if isinstance(error, Exception):
            raise ValueError(import_failure(str(plugin), name, error)) from error
        raise
    return module


def _import_module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        # Where a module that is there lacks another, that is its failure.
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise ValueError(import_failure(name, name, error)) from error
        raise ValueError(
            f"No module is called {name!r}; a file is given as path/to/file.py."
        ) from error
    except Exception as error:  # whatever somebody else's code raises
        raise ValueError(import_failure(name, name, error)) from error


def _load_installed() -> tuple[str, ...]:
    """Load the entry points of the group, unless that was done; which of them could not be."""
    global _failures
    if _failures is not None:
        return _failures
    _failures = ()
    failures = []
    for entry in entry_points(group=_GROUP):
        source = f"entry point {entry.name!r} ({entry.value})"
        try:
            _register_together(_methods_of(entry.load(), source), source)
        except Exception as error:  # whatever somebody else's code raises
            failures.append(f"The {source} could not be loaded: {type(error).__name__}: {error}")
    _failures = tuple(failures)
    if failures:
        warnings.warn(". ".join(failures), stacklevel=3)
    return _failures


def _methods_of(value: object, source: str) -> list[Method]:
    methods = []
    for method in value if isinstance(value, Iterable) else [value]:
        if not isinstance(method, Method):
            raise ValueError(
                f"{source} must be a maxsup.methods.Method or several; got {type(method).__name__}."
            )
        methods.append(method)
    return methods


def _register_together(methods: list[Method], source: str) -> tuple[Method, ...]:
    """Register all of them or none; one that is there already may stay."""
    new: dict[str, Method] = {}
    for method in methods:
        known = new.get(method.name, _METHODS.get(method.name, method))
        if known is not method:
            raise ValueError(
                f"A method called {method.name!r} is there already; {source} defines another."
            )
        method.check_build(source)
        new[method.name] = method
    _METHODS.update(new)
    return tuple(new.values())
