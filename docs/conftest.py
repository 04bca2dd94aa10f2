"""The how-to pages run as tests: their Python blocks in order, each page in a directory of its own.

Blocks in comments are run too and not shown: what a reader has already, and the proof that value
and gradient are those of a plain loop. A page that needs a library which the tests do not install
is collected where it is named, as ``.ci/docs`` names it, and else as if it were not there.
"""

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import torch
from sybil import Example, Sybil
from sybil.parsers.myst import CodeBlockParser, PythonCodeBlockParser
from torch import Tensor, nn

PAGES = ("hub", "notebook", "own-measure", "pytorch", "slurm", "timm", "torchvision-script")
BESIDE_A_LIBRARY = ("lightning", "other-libraries", "transformers")

Batches = Iterable[tuple[Tensor, Tensor]]


def plain_maxsup(logits: Tensor, target: Tensor, alpha: float) -> Tensor:
    """MaxSup by its formula, of torch's own functions alone."""
    penalty = (logits.amax(dim=1) - logits.mean(dim=1)).mean()
    return nn.functional.cross_entropy(logits, target) + alpha * penalty


def plain_training(
    model: Callable[[Tensor], Tensor], batches: Batches, alphas: Iterable[float], lr: float
) -> Iterator[tuple[Tensor, list[Tensor]]]:
    """Loss and gradients of each step of a loop with SGD and nothing else, which trains a model.

    Args:
        model: A module.
        batches: Inputs and targets of each step.
        alphas: MaxSup's coefficient in each step.
        lr: The learning rate.
    """
    assert isinstance(model, nn.Module)
    for (inputs, target), alpha in zip(batches, alphas, strict=True):
        loss = plain_maxsup(model(inputs), target, alpha)
        gradients = list(torch.autograd.grad(loss, list(model.parameters())))
        yield loss.detach(), gradients
        with torch.no_grad():
            for parameter, gradient in zip(model.parameters(), gradients, strict=True):
                parameter -= lr * gradient


def gradients(model: nn.Module) -> list[Tensor]:
    """The gradients that a model's parameters hold."""
    return [
        parameter.grad.clone() for parameter in model.parameters() if parameter.grad is not None
    ]


def _begin(names: dict[str, Any]) -> None:
    """Give a page a directory of its own, and what its blocks in comments use."""
    undo = ExitStack()
    directory = undo.enter_context(tempfile.TemporaryDirectory())
    undo.callback(os.chdir, Path.cwd())
    os.chdir(directory)
    torch.manual_seed(0)
    names.update(
        undo=undo,  # what a page changes beside itself is put back, however the page ends
        scripts=[],  # the text of its bash blocks so far
        plain_maxsup=plain_maxsup,
        plain_training=plain_training,
        gradients=gradients,
    )


def _end(names: dict[str, Any]) -> None:
    names["undo"].close()


def _keep_script(example: Example) -> None:
    """Leave the text of a script to the blocks below it, which run it as a job would."""
    example.namespace["scripts"].append(str(example.parsed))


_collect = Sybil(
    parsers=[PythonCodeBlockParser(), CodeBlockParser("bash", _keep_script)],
    patterns=[f"how-to/{page}.md" for page in (*PAGES, *BESIDE_A_LIBRARY)],
    setup=_begin,
    teardown=_end,
).pytest()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect a page's blocks, unless it needs a library and was not named."""
    config = parent.config
    named = {config.invocation_params.dir / name.partition("::")[0] for name in config.args}
    if file_path.stem in BESIDE_A_LIBRARY and file_path not in named:
        return None
    return _collect(file_path, parent)
