"""Output where the terminal, or the file that it goes to, cannot show every character."""

import codecs
import sys
import unicodedata

_IN_ASCII = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "Δ": "Delta", "ε": "epsilon",
    "λ": "lambda", "τ": "tau", "→": "->", "−": "-", "–": "-", "±": "+-", "×": "x", "≥": ">=",
    "≤": "<=", "↑": "(higher is better)", "↓": "(lower is better)", "…": "...", "•": "-",
}  # fmt: skip


def show_in_any_encoding() -> None:
    """Let standard output and error write in ASCII what their encoding does not have.

    So ``MaxSup, α 0.1 → 0.2`` becomes ``MaxSup, alpha 0.1 -> 0.2`` where it would be an error.
    """
    codecs.register_error("maxsup.ascii", _replace)
    for stream in (sys.stdout, sys.stderr):
        # What stands in for them, as in a notebook, may take everything.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="maxsup.ascii")


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(map(_in_ascii, missing)), error.end


def _in_ascii(character: str) -> str:
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return _IN_ASCII.get(character) or plain or "?"
