"""Arguments that are single numbers, whatever library they come from."""


def plain_number(value: object) -> object:
    """Python's own number of what is one of numpy's, or an array or a tensor without axes.

    Anything else comes back as it is, so that whoever asks can say what came.

    >>> plain_number(3), plain_number("3")
    (3, '3')
    """
    if type(value) in (int, float):
        return value
    # numpy's float64 is a float too, but makes an array of what it meets.
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        return value.item()
    return value


def check_ignore_index(ignore_index: object) -> int | None:
    """The label that is ignored as a plain number; None where none is.

    Raises:
        ValueError: It is neither an integer nor None.

    >>> check_ignore_index(-100)
    -100
    """
    label = plain_number(ignore_index)
    if label is None or type(label) is int:
        return label
    several = " To ignore several labels, give them one in the target." if _has_axes(label) else ""
    raise ValueError(
        f"ignore_index must be an integer, or None to ignore nothing; got {label!r}.{several}"
    )


def check_size(name: str, value: object) -> int:
    """A number of classes or features as a plain number.

    Raises:
        ValueError: It is no integer, or below 1.

    >>> check_size("num_classes", 10)
    10
    """
    count = plain_number(value)
    if type(count) is not int:
        came = type(count).__name__ if _has_axes(count) else repr(count)
        raise ValueError(f"{name} must be an integer; got {came}.{hint_of_class_weights(count)}")
    if count < 1:
        raise ValueError(f"{name} must be at least 1; got {count}.")
    return count


def hint_of_class_weights(value: object) -> str:
    """What to add to a message where a single number was expected and several came.

    torch's cross-entropy takes class weights as its first argument, or after the target.
    """
    meant = value is None or _has_axes(value)
    return " Class weights are given by name: weight=..." if meant else ""


def _has_axes(value: object) -> bool:
    return getattr(value, "ndim", 0) > 0 or isinstance(value, list | tuple)
