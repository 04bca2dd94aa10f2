"""The objectives of other frameworks, each in a process that loads that framework alone.

The files ``in_jax.py`` and ``in_keras.py`` hold the tests. What they are to find, values and
gradients in float64 from the formulas, is computed here.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from . import reference
from .cases import make, one_hot

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent
ALPHA = 0.3
FORMULAS = {"maxsup": reference.maxsup, "label_smoothing": reference.label_smoothing}


@pytest.fixture(scope="module")
def expected(tmp_path_factory) -> Path:
    """A file of logits with a tie and a class that is not available, labels, and what follows."""
    logits, labels, _ = make((6, 5))
    logits[1, [0, 3]] = 4.0
    logits[2, (labels[2] + 1) % 5] = -torch.inf
    others = one_hot((labels + 2) % 5, 5, logits.dtype)
    soft = 0.7 * one_hot(labels, 5, logits.dtype) + 0.3 * others
    alpha = torch.tensor(ALPHA, dtype=torch.float64)
    arrays = {"logits": logits, "labels": labels, "soft": soft, "alpha": alpha}
    for name, formula in FORMULAS.items():
        for kind, target in {"index": labels, "soft": soft}.items():
            leaf = logits.clone().requires_grad_()
            values = reference.evaluate(formula, leaf, target, ALPHA, reduction="none")
            (gradient,) = torch.autograd.grad(values.sum(), leaf)
            arrays[f"{name} {kind} values"] = values.detach()
            arrays[f"{name} {kind} gradient"] = gradient
    path = tmp_path_factory.mktemp("twins") / "expected.npz"
    np.savez(path, **{name: tensor.numpy() for name, tensor in arrays.items()})
    return path


def run_tests(expected: Path, *arguments: str | Path, **environment: str) -> None:
    """Run files' tests and examples, without what the tests here share, which loads torch."""
    pytest_alone = ("-m", "pytest", "-q", "--noconftest", "-p", "no:cacheprovider")
    finished = subprocess.run(
        [sys.executable, *pytest_alone, *arguments],
        cwd=REPOSITORY,
        env={
            **os.environ,
            "EXPECTED": str(expected),
            "JAX_ENABLE_X64": "1",
            "JAX_PLATFORMS": "cpu",
            "XLA_FLAGS": "--xla_backend_optimization_level=0",  # compiles faster
            "KERAS_HOME": str(expected.parent),
            "KERAS_TORCH_DEVICE": "cpu",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr


@pytest.mark.timeout(120)
def test_twin_in_jax(expected):
    run_tests(expected, HERE / "in_jax.py", REPOSITORY / "src/maxsup/jax.py")


@pytest.mark.timeout(180)
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_twin_in_keras(expected, backend):
    files = (HERE / "in_keras.py", REPOSITORY / "src/maxsup/keras.py")
    # Keras's own warnings of newer torch and numpy are no errors.
    run_tests(expected, "-o", "filterwarnings=", *files, KERAS_BACKEND=backend)


@pytest.mark.parametrize("twin", ["jax", "keras"])
def test_a_missing_framework_is_named_with_its_remedy(twin):
    program = f"import sys; sys.modules[{twin!r}] = None; import maxsup.{twin}"
    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert finished.stderr.splitlines()[-1] == (
        f"ModuleNotFoundError: maxsup.{twin} needs {twin}, which is not installed: "
        f'pip install "maxsup[{twin}]" brings it.'
    )


def test_missing_transformers_is_named_with_its_remedy():
    program = "import sys; sys.modules['transformers'] = None; import maxsup.integrations."
    finished = subprocess.run(
        [sys.executable, "-c", program + "transformers"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.stderr.splitlines()[-1] == (
        "ModuleNotFoundError: maxsup.integrations.transformers needs transformers, which is not "
        "installed: pip install transformers brings it."
    )
