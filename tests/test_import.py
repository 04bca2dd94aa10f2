"""What ``import maxsup`` loads, each time in a process of its own."""

import ast
import json
import subprocess
import sys
import textwrap
from pathlib import Path
from types import ModuleType

import pytest

import maxsup
from maxsup import functional, losses, methods, schedules

LAB = (
    "PIL",
    "accelerate",
    "datasets",
    "jinja2",
    "matplotlib",
    "psutil",
    "rich",
    "safetensors",
    "scipy",
    "sklearn",
    "timm",
    "torchmetrics",
    "torchvision",
    "tyro",
    "upath",
)
ROOMS = (
    "data", "evaluation", "figures", "measures", "models", "recipes", "report", "results",
    "statistics", "study", "training",
)  # fmt: skip
LAZY = (maxsup, maxsup.data, maxsup.report, maxsup.study)


def run(program: str) -> object:
    """What the program prints, as JSON."""
    finished = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


@pytest.fixture(scope="module")
def loaded() -> dict[str, list[str]]:
    return run("""
        import json, sys
        import torch
        by_torch = set(sys.modules)
        import maxsup
        ours = set(sys.modules) - by_torch
        maxsup.measures
        print(json.dumps({
            "torch": sorted(by_torch),
            "maxsup": sorted(ours),
            "measures": sorted(set(sys.modules) - by_torch - ours),
        }))
    """)


def test_import_loads_torch_and_itself_alone(loaded):
    packages = {name.partition(".")[0] for name in loaded["maxsup"]}
    assert "maxsup" in packages
    assert packages <= {"maxsup", *sys.stdlib_module_names}
    assert packages.isdisjoint(LAB)


def test_rooms_above_are_loaded_when_first_used(loaded):
    rooms = {f"maxsup.{room}" for room in ROOMS}
    assert rooms.isdisjoint(loaded["maxsup"])
    assert "maxsup.measures" in loaded["measures"]
    assert any(name.partition(".")[0] == "torchmetrics" for name in loaded["measures"])


def test_the_objectives_work_where_only_torch_is_installed():
    value = run(f"""
        import json, sys
        import torch
        sys.modules.update(dict.fromkeys({LAB!r}))
        import maxsup
        training = maxsup.methods.Training(num_classes=3, steps=4, steps_per_epoch=2)
        criterion = maxsup.methods.build_criterion("maxsup", training)
        value = criterion(torch.tensor([[2.0, 0.0, 1.0]]), torch.tensor([1]))
        criterion.step()
        assert maxsup.methods.get_method("maxsup").page().startswith("# ")
        print(json.dumps(round(float(value), 4)))
    """)
    assert value == 2.5076


def test_a_missing_dependency_is_named_with_its_remedy():
    messages = run("""
        import json, sys
        import maxsup
        messages = {}
        for room, dependency in {"measures": "torchmetrics", "models": "timm"}.items():
            loaded = [name for name in sys.modules if name.partition(".")[0] == dependency]
            assert not loaded, loaded
            sys.modules[dependency] = None
            try:
                getattr(maxsup, room)
            except ModuleNotFoundError as error:
                messages[room] = [error.name, str(error)]
        print(json.dumps(messages))
    """)
    for room, dependency in {"measures": "torchmetrics", "models": "timm"}.items():
        name, message = messages[room]
        assert name.partition(".")[0] == dependency
        assert message == (
            f"maxsup.{room} needs {dependency}, which is not installed: "
            'pip install "maxsup[lab]" brings it.'
        )


@pytest.mark.parametrize("package", LAZY, ids=lambda package: package.__name__)
def test_lazy_package_tells_type_checkers_of_all_it_has(package):
    tree = ast.parse(Path(package.__file__).read_text())
    guarded = next(node for node in tree.body if isinstance(node, ast.If))
    told = {name.asname for line in guarded.body for name in line.names}
    own = {name for name in package.__all__ if name.startswith("_")}
    assert told == set(package.__all__) - own


def test_import_alone_does_not_load_torch():
    assert (
        run("""
        import json, sys
        import maxsup, maxsup.recipes
        print(json.dumps("torch" in sys.modules))
    """)
        is False
    )


def test_data_settings_load_no_library():
    loaded = run("""
        import json, sys
        from maxsup.data import DataSettings, PhotographSettings, ShrinkSettings
        from maxsup.data import read_bytes, short_name
        short_name(DataSettings("digits")), ShrinkSettings(), PhotographSettings(8)
        read_bytes("1MB")
        print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
    """)
    assert set(loaded).isdisjoint({*LAB, "torch", "numpy", "fsspec", "pyarrow"})


def test_data_names_can_each_be_the_first_one_used():
    found = run("""
        import json, sys
        import maxsup.data
        for name in maxsup.data.__all__:
            for module in [each for each in sys.modules if each.startswith("maxsup.data.")]:
                del sys.modules[module]
            getattr(maxsup.data, name)
        print(json.dumps(len(maxsup.data.__all__)))
    """)
    assert found == len(maxsup.data.__all__)


def test_an_unknown_attribute():
    with pytest.raises(AttributeError, match="module 'maxsup' has no attribute 'maxsub'"):
        _ = maxsup.maxsub
    assert not hasattr(maxsup, "nothing")
    with pytest.raises(ImportError, match="nothing"):
        from maxsup import nothing  # noqa: F401


def test_the_rooms_are_listed_and_reachable():
    assert set(ROOMS) <= set(dir(maxsup))
    assert isinstance(maxsup.measures, ModuleType)
    assert maxsup.measures.__name__ == "maxsup.measures"


@pytest.mark.parametrize(
    "module", [maxsup, functional, losses, methods, schedules], ids=lambda module: module.__name__
)
def test_what_is_public_exists(module):
    assert list(module.__all__) == sorted(set(module.__all__))
    for name in module.__all__:
        assert hasattr(module, name)


def test_it_is_typed():
    assert (Path(maxsup.__file__).parent / "py.typed").is_file()
