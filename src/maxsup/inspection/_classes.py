"""Whether a model's classes are those of the data that it is looked at on."""

from maxsup.data import ImageData
from maxsup.training import class_differences


def check_classes(place: str, classes: tuple[str, ...], data: ImageData) -> None:
    """See that both are called the same, in the same order.

    Raises:
        ValueError: They are not; the message says what is missing on either side.
    """
    if classes == data.classes:
        return
    differences = class_differences(place, classes, data)
    if not differences:
        raise ValueError(f"{place} has the classes of {data.name} in another order.")
    raise ValueError(
        f"{place} tells {len(classes)} classes apart, which are not the {len(data.classes)} of "
        f"{data.name}: {differences}. Name data with the same classes; of other data, "
        "features alone can be looked at, with --transfer-data or --ood-data."
    )
