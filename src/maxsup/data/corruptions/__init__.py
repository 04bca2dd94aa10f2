"""Common corruptions of images at five severities (Hendrycks and Dietterich 2019)."""

from typing import TYPE_CHECKING

from maxsup._lazy import lazy_names

if TYPE_CHECKING:
    from maxsup.data.corruptions._corrupt import corrupt as corrupt
    from maxsup.data.corruptions._kinds import COMMON as COMMON
    from maxsup.data.corruptions._kinds import EXTRA as EXTRA
    from maxsup.data.corruptions._kinds import KINDS as KINDS
    from maxsup.data.corruptions._kinds import SEVERITIES as SEVERITIES
    from maxsup.data.corruptions._kinds import check_kind as check_kind
    from maxsup.data.corruptions._split import CorruptedSplit as CorruptedSplit
    from maxsup.data.corruptions._strengths import is_small as is_small

__all__ = [
    "COMMON",
    "EXTRA",
    "KINDS",
    "SEVERITIES",
    "CorruptedSplit",
    "check_kind",
    "corrupt",
    "is_small",
]

__getattr__ = lazy_names(
    __name__,
    [],
    {
        "_corrupt": ["corrupt"],
        "_kinds": ["COMMON", "EXTRA", "KINDS", "SEVERITIES", "check_kind"],
        "_split": ["CorruptedSplit"],
        "_strengths": ["is_small"],
    },
)


def __dir__() -> list[str]:
    return __all__
