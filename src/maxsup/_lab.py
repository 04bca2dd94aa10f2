"""What to say where a package is missing that only some of the rooms need."""


def lab_is_needed(what: str, error: ModuleNotFoundError) -> str:
    """What to install for something that a missing package has stopped.

    >>> lab_is_needed("the commands need", ModuleNotFoundError(name="tyro"))
    'the commands need tyro, which is not installed: pip install "maxsup[lab]" brings it.'
    """
    return f'{what} {error.name}, which is not installed: pip install "maxsup[lab]" brings it.'
