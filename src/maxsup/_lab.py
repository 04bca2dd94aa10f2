"""What to say where a package is missing that only some of the rooms need."""


def lab_is_needed(what: str, error: ModuleNotFoundError, extra: str = "lab") -> str:
    """What to install for something that a missing package has stopped.

    Args:
        what: The subject with its verb.
        error: What the import raised.
        extra: The extra of this package that brings what is missing.

    >>> lab_is_needed("the commands need", ModuleNotFoundError(name="tyro"))
    'the commands need tyro, which is not installed: pip install "maxsup[lab]" brings it.'
    """
    return f'{what} {error.name}, which is not installed: pip install "maxsup[{extra}]" brings it.'
