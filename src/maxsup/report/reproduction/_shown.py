"""Numbers of a table of the paper, as a reader sees them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maxsup.paper.schema import ClaimFacts, RowFacts


def number_of(value: float | None, digits: int, *, signed: bool = False) -> str:
    """A number with the decimals of the paper, or a dash.

    >>> number_of(-0.5, 2, signed=True), number_of(-0.0, 1, signed=True), number_of(None, 2)
    ('−0.50', '+0.0', '–')
    """
    if value is None:
        return "–"
    value = round(value, digits) + 0.0  # no negative zero
    return f"{value:{'+' if signed else ''}.{digits}f}".replace("-", "−")


def printed_of(row: "RowFacts", digits: int) -> str:
    """What the paper prints, with its spread."""
    if row["printed"] is None:
        return "–"
    text = row["printed_text"] or number_of(row["printed"], digits)
    text = f"0{text}" if text.startswith(".") else text
    if row["printed_spread"] is None:
        return text
    return f"{text} ± {number_of(row['printed_spread'], digits)}"


def measured_of(row: "RowFacts", digits: int) -> str:
    """The mean over seeds with its standard deviation."""
    if row["std"] is None:
        return number_of(row["mean"], digits)
    return f"{number_of(row['mean'], digits)} ± {number_of(row['std'], digits)}"


def interval_of(claim: "ClaimFacts", digits: int) -> str:
    """The interval of a measured difference, or a dash."""
    if claim["low"] is None or claim["high"] is None:
        return "–"
    ends = (number_of(claim[end], digits, signed=True) for end in ("low", "high"))
    return " to ".join(ends)
