"""What ``reproduction.json`` holds: printed and measured numbers side by side.

All numbers are in the unit of the paper's table: per cent where it prints per cent.
"""

from typing import Literal, TypedDict

FORMAT = 1

Outcome = Literal["agrees", "contradicts", "cannot tell"]


class RowFacts(TypedDict):
    """One method in one column."""

    method: str
    printed: float | None
    printed_spread: float | None  # as it stands behind ±
    printed_text: str  # the printed number with all its zeros; "" where it is a derived one
    seeds: list[int]
    mean: float | None
    std: float | None  # over seeds, with n − 1; null of one


class ClaimFacts(TypedDict):
    """One method minus another, printed and measured."""

    method: str
    against: str
    sign: int  # of what is printed or claimed: 1, −1; 0 where the two are printed alike
    printed: float | None  # null where the paper has words and no number
    seeds: list[int]  # of the measured pairs
    mean: float | None
    low: float | None  # 95 % interval, simultaneous over the column's comparisons
    high: float | None
    within: bool | None  # whether the printed difference lies in the interval, at full scale
    outcome: Outcome
    reason: str  # in a sentence
    remarks: list[str]


class ColumnFacts(TypedDict):
    """One column, or one quantity of a figure."""

    name: str
    label: str
    measure: str
    digits: int
    rows: list[RowFacts]
    claims: list[ClaimFacts]
    sources: list[str]  # directories of the studies and inspections, relative to this file's


class Reproduction(TypedDict):
    """The whole file."""

    format: int
    entry: str
    title: str
    shows: str
    scale: Literal["smoke", "small", "paper"]
    measured_on: str
    command: str
    commands: list[str]  # what does each step by hand
    labels: dict[str, str]  # of the methods, as in a heading
    columns: list[ColumnFacts]
    remarks: list[str]
    versions: dict[str, str]
