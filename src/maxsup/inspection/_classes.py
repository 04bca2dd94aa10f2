"""Whether a model's classes are those of the data that it is looked at on."""

from maxsup.data import ImageData
from maxsup.training import listed


def check_classes(place: str, classes: tuple[str, ...], data: ImageData) -> None:
    """See that both are called the same, in the same order.

    Raises:
        ValueError: They are not; the message says what is missing on either side.
    """
    if classes == data.classes:
        return
    missing = [each for each in classes if each not in data.classes]
    added = [each for each in data.classes if each not in classes]
    if not missing and not added:
        raise ValueError(f"{place} has the classes of {data.name} in another order.")
    parts = []
    if missing:
        parts.append(f"{data.name} lacks {listed(missing)}")
    if added:
        parts.append(f"{place} does not know {listed(added)}")
    raise ValueError(
        f"{place} tells {len(classes)} classes apart, which are not the {len(data.classes)} of "
        f"{data.name}: {'; '.join(parts)}. Name data with the same classes; of other data, "
        "features alone can be looked at, with --transfer-data or --ood-data."
    )
