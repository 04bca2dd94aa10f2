"""A page for each method, from the card that ``maxsup methods NAME`` prints."""

from pathlib import Path

from _pages._files import write_files
from maxsup.methods import all_methods


def write(docs: Path) -> None:
    """Write the cards, and the table of all of them."""
    # Methods that are one objective's parts share a card.
    cards: dict[str, str] = {}
    rows = []
    for method in all_methods():
        card = method.page()
        name = next((known for known, text in cards.items() if text == card), method.name)
        cards.setdefault(name, card)
        declared = "; ".join(each.describe() for each in method.coefficients)
        rows.append(
            f"| [`{method.name}`](../methods/cards/{name}.md) | {method.summary} | {declared} |"
        )
    write_files(
        docs / "methods" / "cards", {f"{name}.md": f"{card}\n" for name, card in cards.items()}
    )
    table = ["| method | what it does | coefficients |", "|---|---|---|", *rows]
    write_files(docs / "generated" / "methods", {"table.md": "\n".join(table) + "\n"})
