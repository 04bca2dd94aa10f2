"""The public surface, room by room, from the docstrings."""

import importlib
import sys
from pathlib import Path

from sphinx.ext.autodoc.mock import mock
from sphinx.pycode import ModuleAnalyzer

import maxsup
from _pages._files import write_files

ROOMS = {
    "maxsup": "The objectives as modules, in the place of torch's.",
    "maxsup.functional": "The objectives as functions.",
    "maxsup.losses": "Table 1's ablations, and what chooses how numbers are computed.",
    "maxsup.losses.toolkit": "What one's own objective is made of.",
    "maxsup.methods": "The methods by name, and plug-ins.",
    "maxsup.schedules": "How a coefficient grows.",
    "maxsup.jax": "For JAX, called as optax's losses.",
    "maxsup.keras": "For Keras 3.",
    "maxsup.integrations.transformers": "For the Hugging Face Trainer.",
    "maxsup.measures": "Numbers from logits, features, labels and masks.",
    "maxsup.statistics": "What the numbers of a few seeds say.",
    "maxsup.results": "What `results.json` holds.",
    "maxsup.data": "From a name or a path to batches.",
    "maxsup.models": "Models by name, features and logits, trained models.",
    "maxsup.recipes": "How models are trained.",
    "maxsup.evaluation": "One pass over a split, any number of measures.",
    "maxsup.training": "The training of one model.",
    "maxsup.inspection": "Trained models side by side.",
    "maxsup.study": "Methods × seeds as one study.",
    "maxsup.paper": "The paper's tables and figures.",
    "maxsup.figures": "Pictures from arrays.",
    "maxsup.report": "Tables and pages.",
}

BESIDE = ["transformers"]
"""What a room extends and the site is built without."""


def write(docs: Path) -> None:
    """Write a page for each room, and the table of all of them."""
    _check_complete()
    documented: set[int] = set()
    pages, rows = {}, []
    for room, summary in ROOMS.items():
        pages[f"{room}.md"] = _page(room, documented)
        rows.append(f"| [`{room}`](../reference/api/{room}.md) | {summary} |")
    write_files(docs / "reference" / "api", pages)
    table = ["| room | what is there |", "|---|---|", *rows]
    write_files(docs / "generated" / "reference", {"table.md": "\n".join(table) + "\n"})


def _check_complete() -> None:
    """See that no room is forgotten.

    Raises:
        ValueError: A public package or module is not in ``ROOMS``, nor is anything within it.
    """
    places = Path(maxsup.__file__).parent.iterdir()
    public = {place.stem for place in places if place.is_dir() or place.suffix == ".py"}
    known = {room.split(".")[1] for room in ROOMS if "." in room}
    forgotten = {name for name in public if not name.startswith("_")} - known - {"commands"}
    if forgotten:
        raise ValueError(f"docs/_pages/reference.py: ROOMS has nothing of {sorted(forgotten)}.")


def _page(room: str, documented: set[int]) -> str:
    """The room's own text, then each public name that no room before it has shown."""
    with mock(BESIDE):
        module = importlib.import_module(room)
    lines = [f"# {room}", "", "```{eval-rst}", f".. automodule:: {room}", "   :no-members:", ""]
    # What the package is there for comes first.
    for name in sorted(module.__all__, key=lambda name: "maxsup" not in name.lower()):
        member = getattr(module, name)
        if isinstance(member, str) or type(member).__name__ == "module":
            continue
        if callable(member):
            if id(member) in documented:
                continue
            documented.add(id(member))
        lines += _directive(room, name, member)
    return "\n".join([*lines, "```", ""])


def _directive(room: str, name: str, member: object) -> list[str]:
    if isinstance(member, type):
        return [
            f".. autoclass:: {room}.{name}",
            "   :members:",
            "   :exclude-members: function",
            "",
        ]
    if callable(member):
        return [f".. autofunction:: {room}.{name}", ""]
    # A constant's text stands behind it in its file, and the constant does not know which that is.
    text = _text_of(room, name)
    return [f".. py:data:: {room}.{name}", "", *(f"   {line}" for line in text), ""]


def _text_of(room: str, name: str) -> list[str]:
    package = room.rpartition(".")[0] or room
    for module in sorted(each for each in sys.modules if each.startswith(f"{package}.")):
        text = ModuleAnalyzer.for_module(module).find_attr_docs().get(("", name))
        if text:
            return text
    return []
