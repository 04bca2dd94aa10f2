"""A room imports from those below it, never from those above, and there is no circle."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import maxsup

SOURCE = Path(maxsup.__file__).parent
FLOORS = (
    ("losses", "functional", "methods", "schedules", "jax", "keras", "integrations"),
    ("measures", "statistics"),
    ("results",),
    ("data", "recipes"),
    ("models",),
    ("evaluation",),
    ("training",),
    ("inspection",),
    ("study",),
    ("paper",),
    ("figures", "report"),
    ("commands",),
)
OTHER_FRAMEWORKS = ("jax", "keras", "integrations")
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}


def module_of(file: Path) -> str:
    parts = [*file.relative_to(SOURCE).with_suffix("").parts]
    return ".".join(["maxsup", *(parts[:-1] if parts[-1] == "__init__" else parts)])


def imports(file: Path) -> Iterator[str]:
    """The modules of maxsup that a file imports, also within functions and for type checkers."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("maxsup"):
            for name in node.names:
                within = f"{node.module}.{name.name}"
                yield within if exists(within) else str(node.module)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name.startswith("maxsup"))


def exists(module: str) -> bool:
    path = SOURCE.joinpath(*module.split(".")[1:])
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def files() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def test_rooms_lean_on_those_below_alone() -> None:
    upwards = [
        f"{module_of(file)} imports {imported}"
        for file in files()
        for imported in imports(file)
        if (here := room_of(module_of(file))) in FLOOR
        and (there := room_of(imported)) in FLOOR
        and FLOOR[there] > FLOOR[here]
    ]
    assert not upwards


def test_nothing_leans_on_what_is_for_other_frameworks() -> None:
    leaning = [
        f"{module_of(file)} imports {imported}"
        for file in files()
        for imported in imports(file)
        if (there := room_of(imported)) in OTHER_FRAMEWORKS and room_of(module_of(file)) != there
    ]
    assert not leaning


def test_rooms_have_a_floor_each() -> None:
    rooms = {path.stem for path in SOURCE.iterdir() if path.is_dir() or path.suffix == ".py"}
    assert {room for room in rooms if not room.startswith("_")} == set(FLOOR)


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    graph: dict[str, set[str]] = {}
    for file in files():
        module = module_of(file)
        # A package's face hands names on; the files behind it import each other directly.
        graph[module] = (
            set() if file.name == "__init__.py" else {*imports(file)} - {module, "maxsup"}
        )
    assert list(TopologicalSorter(graph).static_order())


def test_figures_take_arrays_alone() -> None:
    leaning = {
        imported
        for file in (SOURCE / "figures").glob("*.py")
        for imported in imports(file)
        if room_of(imported) != "figures"
    }
    assert not leaning
