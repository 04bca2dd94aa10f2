import gc
import os
import signal
from collections.abc import Iterator

import pytest

# Before torch is loaded, for it and for the processes that tests start: threads that small tensors
# do not need wait for each other on the cores that the other tests have.
os.environ["OMP_NUM_THREADS"] = "1"

import torch

# What is started in the background ignores Ctrl-C's signal; tests send it to themselves.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Nothing here may reach for a hub.
os.environ["HF_HUB_OFFLINE"] = "1"
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _fresh_accelerator() -> Iterator[None]:
    """accelerate keeps its precision and processes for the whole process; tests vary them."""
    yield
    import sys

    if "accelerate" in sys.modules:
        from accelerate.state import AcceleratorState

        AcceleratorState._reset_state(reset_partial_state=True)


@pytest.fixture(autouse=True)
def _end_processes() -> Iterator[None]:
    """No process that a test has forked outlives it."""
    yield
    import sys

    if "tests.forked" in sys.modules:
        sys.modules["tests.forked"].end_all()


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The registry as it is, put back afterwards, and the modules that were loaded into it."""
    import sys

    from maxsup import methods

    monkeypatch.setattr(methods, "_METHODS", dict(methods._METHODS))
    monkeypatch.setattr(methods, "_local", set(methods._local))
    monkeypatch.setattr(methods, "_failures", methods._failures)
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("maxsup_plugin_"):
            del sys.modules[name]


@pytest.fixture(autouse=True, scope="module")
def _pass_over_what_stays() -> None:
    """Modules and tests stay to the end: collections of garbage, one a training, leave them out."""
    gc.collect()
    gc.freeze()


SLOW_FILES = (
    "test_ray.py",
    "test_processes.py",
    "test_kill.py",
    "test_transforms.py",
    "test_commands.py",
    "test_compare.py",
    "test_inspect.py",
    "test_page.py",
    "test_train.py",
    "test_kernels.py",
    "test_benchmarks.py",
    "test_starting.py",
    "test_browser.py",
    "test_tuning.py",
)
"""The files that take longest."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the slow files, so that none of several processes ends long after the others."""
    last = len(SLOW_FILES)
    ranks = {name: rank for rank, name in enumerate(SLOW_FILES)}
    items.sort(key=lambda item: ranks.get(item.path.name, last))
