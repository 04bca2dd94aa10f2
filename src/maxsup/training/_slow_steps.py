"""Word of a long computation while it goes on."""

import time
from collections.abc import Callable

from maxsup.training._progress import duration

_EVERY = 10.0
"""Seconds between two sentences; what takes less is done without a word."""


def slow_steps(
    say: Callable[[str], None], what: str, clock: Callable[[], float] = time.monotonic
) -> Callable[[int, int], None]:
    """Something to be called after each step, which says every ten seconds how far it is.

    How long is left it does not say: of most paths the last steps take longest.

    Args:
        say: Shows a sentence to a person.
        what: What the steps are of, as the sentence begins.
        clock: Seconds from wherever.

    Returns:
        To be called with how many steps are done and how many there are.

    Example:
        >>> seconds = iter((0, 4, 12, 15, 30))
        >>> step = slow_steps(print, "Fitting", lambda: next(seconds))
        >>> for done in range(1, 5):
        ...     step(done, 4)
        Fitting: 2 of 4, after 12 s …
    """
    begun = said = clock()

    def step(done: int, steps: int) -> None:
        nonlocal said
        now = clock()
        if now - said >= _EVERY and done < steps:
            said = now
            say(f"{what}: {done} of {steps}, after {duration(now - begun)} …")

    return step
