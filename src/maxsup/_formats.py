"""The numbers by which files say how they are written, and what is said where one does not fit."""


class OtherFormat(ValueError):
    """A file is whole, and written in a way that this version of maxsup does not read."""


def check_format(found: object, what: str, *, newest: int, oldest: int = 1, remedy: str) -> int:
    """See that a format's number is one that this version reads.

    Args:
        found: The number that the file has.
        what: The file, as a message begins with it.
        newest: The newest format that is read, the one that is written.
        oldest: The oldest format that is read.
        remedy: What to do with a file of an earlier version, or of another origin: a sentence.

    Returns:
        The number.

    Raises:
        OtherFormat: It is of a newer or an earlier version, or no number at all.

    >>> check_format(2, "settings.json", newest=2, remedy="")
    2
    >>> check_format(3, "settings.json", newest=2, remedy="Repeat the run.")
    Traceback (most recent call last):
    maxsup._formats.OtherFormat: settings.json was written by a newer version of maxsup, in format \
3; this version reads formats 1 to 2. Install a newer version: pip install --upgrade maxsup
    """
    reads = f"format {newest}" if oldest == newest else f"formats {oldest} to {newest}"
    if not isinstance(found, int) or isinstance(found, bool):
        raise OtherFormat(
            f"{what} names {found!r} as its format, which no version of maxsup writes; this "
            f"version reads {reads}. {remedy}"
        )
    if found > newest:
        raise OtherFormat(
            f"{what} was written by a newer version of maxsup, in format {found}; this version "
            f"reads {reads}. Install a newer version: pip install --upgrade maxsup"
        )
    if found < oldest:
        raise OtherFormat(
            f"{what} was written by an earlier version of maxsup, in format {found}; this version "
            f"reads {reads}. {remedy}"
        )
    return found
