import io
import sys

import pytest

from maxsup.commands import main
from maxsup.commands._encoding import show_in_any_encoding


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("ascii", "MaxSup, alpha 0.1 -> 0.2: -1.0 +- 0.5, R2 at A?"),
        ("cp1252", "MaxSup, alpha 0.1 -> 0.2: -1.0 ± 0.5, R² at Ä?"),
        ("utf-8", "MaxSup, α 0.1 → 0.2: −1.0 ± 0.5, R² at Ä漢"),
    ],
)
def test_what_cannot_be_shown_is_written_in_ascii(
    encoding: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bytes_written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(bytes_written, encoding=encoding))
    show_in_any_encoding()
    print("MaxSup, α 0.1 → 0.2: −1.0 ± 0.5, R² at Ä漢", end="", flush=True)
    assert bytes_written.getvalue().decode(encoding) == shown


def test_methods_are_listed_where_only_ascii_can_be_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    bytes_written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(bytes_written, encoding="ascii"))
    assert main(["methods"]) == 0
    sys.stdout.flush()
    assert b"spreads alpha of the target" in bytes_written.getvalue()
