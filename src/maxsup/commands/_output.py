"""Output that reaches whatever it is written to."""

import codecs
import io
import os
import sys
import unicodedata

_ERRORS = "maxsup-plain"

_PLAIN = {
    "−": "-", "–": "-", "—": "-", "·": "|", "×": "x", "±": "+-", "→": "->", "…": "...", "•": "*",
    "α": "alpha", "β": "beta", "γ": "gamma", "λ": "lambda", "μ": "mu", "σ": "sigma", "Σ": "sum",
    "≥": ">=", "≤": "<=", "≠": "!=", "²": "^2", "’": "'", "‘": "'", "“": '"', "”": '"', "↑": "^",
    "↓": "v", "δ": "delta", "Δ": "Delta", "ε": "epsilon", "τ": "tau", "₁": "1", "₂": "2",
    "‖": "||", "√": "sqrt ",
}  # fmt: skip
"""What stands for a character where it cannot be shown."""


def write_what_can_be_shown() -> None:
    """Let standard output and error replace what their encoding has no characters for.

    Such as those of Windows, of ``LANG=C`` or ``PYTHONIOENCODING=ascii``, and of file names that
    are no Unicode: a study must not end with its training done because its table has a minus sign.
    """
    codecs.register_error(_ERRORS, _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ERRORS)


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    shown = map(_plain_character, error.object[error.start : error.end])
    return "".join(shown), error.end


def _plain_character(character: str) -> str:
    """What stands for it, else the letter beneath its accents, else a question mark."""
    letter = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return _PLAIN.get(character) or letter or "?"


def forget_closed_pipes() -> None:
    """Let nothing be flushed at the end into a pipe that nobody reads any more."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
