"""What the measured numbers say of the printed ones."""

import statistics

from maxsup.paper._entry import Claim, Entry
from maxsup.paper._plan import ColumnPlan
from maxsup.paper._steps import Values
from maxsup.paper.schema import ClaimFacts, ColumnFacts, Outcome, RowFacts
from maxsup.statistics import FEWEST_PAIRS, Contrast, judge

_NO_MARGIN = 1e-12
"""Only signs are asked for, and no difference is too small to matter."""


def column_facts(
    entry: Entry, plan: ColumnPlan, sources: list[str], *, same_scale: bool
) -> ColumnFacts:
    """A column with what was printed and measured, and what of the claims holds.

    A claim is that one number is larger, or smaller, than another. It agrees where the whole
    interval of the measured difference lies on that side of 0, contradicts where it lies on the
    other, and else, or with fewer than three seeds, cannot be told. The intervals of a column hold
    together (Bonferroni), as :func:`maxsup.statistics.judge` has them.

    Args:
        entry: The table.
        plan: The column, with what was carried out for it.
        sources: Where that lies.
        same_scale: Whether values can be compared with the printed ones, and not signs alone.
    """
    name = plan.column.name
    values = plan.values()
    claims = entry.claims(name)
    pairs = [(claim.method, claim.against) for claim in claims]
    there = {method: values.get(method, {}) for pair in pairs for method in pair}
    judged = judge(there, pairs, margin=_NO_MARGIN) if pairs else []
    return ColumnFacts(
        name=name,
        label=plan.column.label,
        measure=plan.measure.label,
        digits=plan.measure.digits,
        rows=[_row(entry, name, method, values) for method in entry.methods_of(name)],
        claims=[
            _claim(entry, name, claim, contrast, same_scale=same_scale)
            for claim, contrast in zip(claims, judged, strict=True)
        ],
        sources=sources,
    )


def _row(entry: Entry, column: str, method: str, values: Values) -> RowFacts:
    printed = entry.printed.get((method, column))
    measured = values.get(method, {})
    numbers = [*measured.values()]
    return RowFacts(
        method=method,
        printed=printed.value if printed else None,
        printed_spread=printed.spread if printed else None,
        printed_text=printed.text if printed else "",
        seeds=sorted(measured),
        mean=statistics.fmean(numbers) if numbers else None,
        std=statistics.stdev(numbers) if len(numbers) > 1 else None,
    )


def _claim(
    entry: Entry, column: str, claim: Claim, contrast: Contrast, *, same_scale: bool
) -> ClaimFacts:
    outcome, reason = outcome_of(claim, contrast)
    low, high = contrast["low"], contrast["high"]
    known = same_scale and low is not None and high is not None and claim.printed is not None
    return ClaimFacts(
        method=claim.method,
        against=claim.against,
        sign=claim.sign,
        printed=claim.printed,
        seeds=contrast["seeds"],
        mean=contrast["mean"],
        low=low,
        high=high,
        within=low <= claim.printed <= high if known else None,  # type: ignore[operator]
        outcome=outcome,
        reason=reason,
        remarks=entry.remarks_on(claim, column),
    )


def outcome_of(claim: Claim, contrast: Contrast) -> tuple[Outcome, str]:
    """Whether a measured difference agrees with a printed one in its sign, and why.

    Example:
        >>> contrast = judge(
        ...     {"a": {0: 2.0, 1: 2.1, 2: 1.9}, "b": {0: 1.0, 1: 1.0, 2: 1.0}},
        ...     [("a", "b")], margin=1e-12,
        ... )[0]
        >>> outcome_of(Claim("a", "b", sign=-1), contrast)
        ('contradicts', 'The whole interval lies above 0, what is claimed below.')
    """
    pairs = len(contrast["seeds"])
    low, high = contrast["low"], contrast["high"]
    if pairs == 0:
        return "cannot tell", "Nothing has been measured yet."
    if (low is None or high is None) and pairs >= FEWEST_PAIRS:
        return "cannot tell", "The difference is the same in every seed: no spread to judge it by."
    if low is None or high is None:
        return (
            "cannot tell",
            f"An interval takes {FEWEST_PAIRS} seeds that both have finished; there "
            f"{'is' if pairs == 1 else 'are'} {pairs}.",
        )
    if claim.sign == 0:
        return "cannot tell", "Nothing is claimed of the sign of this difference."
    if low <= 0 <= high:
        return "cannot tell", "The interval has 0 in it."
    side = 1 if low > 0 else -1
    if side == claim.sign:
        return "agrees", f"The whole interval lies {_where(side)} 0, as is claimed."
    return (
        "contradicts",
        f"The whole interval lies {_where(side)} 0, what is claimed {_where(-side)}.",
    )


def _where(side: int) -> str:
    return "above" if side > 0 else "below"
