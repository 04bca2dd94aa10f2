"""Packages whose names are imported when they are first used.

A command that only prints its help must not wait for torch, nor ``import maxsup`` for the rooms
above the ground floor.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence

from maxsup._lab import lab_is_needed


def lazy_names(
    package: str, submodules: Sequence[str], names: Mapping[str, Sequence[str]]
) -> Callable[[str], object]:
    """A package's ``__getattr__`` that imports a public name when it is asked for.

    The package lists the same names for type checkers under ``if TYPE_CHECKING``, and in
    ``__all__``; a test compares the three.

    Args:
        package: The package's ``__name__``.
        submodules: Its modules that are public themselves.
        names: By module within the package, the public names that it defines.

    Example:
        >>> lazily = lazy_names("maxsup", ["recipes"], {"_version": ["__version__"]})
        >>> lazily("recipes").__name__
        'maxsup.recipes'
        >>> lazily("receipts")
        Traceback (most recent call last):
        AttributeError: module 'maxsup' has no attribute 'receipts'
    """
    module_of = {name: module for module, defined in names.items() for name in defined}

    def __getattr__(name: str) -> object:
        if name in submodules:
            return _import(f"{package}.{name}")
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(_import(f"{package}.{module_of[name]}"), name)

    return __getattr__


def _import(module: str) -> object:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("maxsup"):
            raise
        raise ModuleNotFoundError(
            lab_is_needed(f"{module} needs", error), name=error.name
        ) from error
