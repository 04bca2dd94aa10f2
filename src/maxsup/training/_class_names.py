"""How the classes that a model knows differ from those of data."""

from maxsup.data import ImageData
from maxsup.training._run_files import listed


def class_differences(who: str, classes: tuple[str, ...], data: ImageData) -> str:
    """Which classes either side lacks, in words; empty where both have the same in any order.

    Args:
        who: Who knows the classes, as the sentence has it.
        classes: Their names.
        data: The data.
    """
    missing = [each for each in classes if each not in data.classes]
    added = [each for each in data.classes if each not in classes]
    parts = [f"{data.name} lacks {listed(missing)}"] * bool(missing)
    parts += [f"{who} does not know {listed(added)}"] * bool(added)
    return "; ".join(parts)
