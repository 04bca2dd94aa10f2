"""How long the commands take to start, and what ``import maxsup`` adds to ``import torch``.

python benchmarks/imports.py [--rounds 5]

Each figure is the median of fresh processes that are started in turn, so that a busy moment meets
all of them. A first round, which fills the machine's file cache, does not count.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

SHARE = """
import time
start = time.perf_counter()
import torch
torch_done = time.perf_counter()
import maxsup
print((time.perf_counter() - torch_done) / (torch_done - start))
"""
# The study is left at its first optimiser step; the packages that it has loaded are then imported
# in a process of their own, in the same order.
FIRST_STEP = """
import json, sys, time
from maxsup.commands import main
class FirstStep(BaseException): pass
def leave(*anything):
    raise FirstStep
from torch.optim.optimizer import register_optimizer_step_pre_hook
register_optimizer_step_pre_hook(leave)
try:
    main(["compare", "digits", "--out", sys.argv[1]])
except FirstStep:
    print(json.dumps(list(sys.modules)))
"""
SAME_IMPORTS = """
import contextlib, importlib, json, sys
for name in json.loads(sys.stdin.read()):
    with contextlib.suppress(Exception):
        importlib.import_module(name)
"""
COMMANDS = (
    "--version",
    "--help",
    "compair",
    "compare --help",
    "compare digits --sead 3",
    "train --help",
    "prepare --help",
    "recipes --help",
    "recipes",
    "recipes imagenet-resnet50 --lr 0.4",
    "methods --help",
    "methods",
    "methods maxsup",
)


def run(*words: str, given: str | None = None) -> str:
    done = subprocess.run(
        [sys.executable, *words], input=given, capture_output=True, text=True, check=False
    )
    return done.stdout


def seconds(*words: str, given: str | None = None) -> float:
    start = time.perf_counter()
    run(*words, given=given)
    return time.perf_counter() - start


def first_step() -> tuple[float, float]:
    """Seconds from the start of a study to its first step, and those of its imports alone."""
    with tempfile.TemporaryDirectory() as directory:
        start = time.perf_counter()
        printed = run("-c", FIRST_STEP, directory)
        whole = time.perf_counter() - start
    modules = json.loads(printed.splitlines()[-1])
    given = json.dumps([name for name in modules if not name.startswith("__")])
    return whole, seconds("-c", SAME_IMPORTS, given=given)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args(arguments).rounds
    calls = {"import torch": ("-c", "import torch")} | {
        f"maxsup {command}": ("-m", "maxsup", *command.split()) for command in COMMANDS
    }
    times: dict[str, list[float]] = {name: [] for name in calls}
    shares, starts = [], []
    for _ in range(1 + rounds):
        for name, words in calls.items():
            times[name].append(seconds(*words))
        shares.append(float(run("-c", SHARE)))
        starts.append(first_step())
    for name, found in times.items():
        counted = found[1:]
        spread = f"{min(counted):.2f} to {max(counted):.2f}"
        print(f"{name:42} {statistics.median(counted):6.2f} s  ({spread})")
    whole = statistics.median(whole for whole, _ in starts[1:])
    beyond = statistics.median(whole - imports for whole, imports in starts[1:])
    print(f"{'maxsup compare digits, to its first step':42} {whole:6.2f} s")
    print(f"{'    of these beyond its imports':42} {beyond:6.2f} s")
    counted = sorted(100 * share for share in shares[1:])
    print(
        f"import maxsup adds {statistics.median(counted):.2f} % to import torch "
        f"({counted[0]:.2f} to {counted[-1]:.2f} %)"
    )
    print(f"(medians of {rounds} processes each)")


if __name__ == "__main__":
    main()
