"""What ``import maxsup`` costs over ``import torch``, in fresh processes, in turn.

python benchmarks/imports.py [--rounds 15]
"""

import argparse
import statistics
import subprocess
import sys

PROGRAM = """
import time
start = time.perf_counter()
import torch
torch_done = time.perf_counter()
import maxsup
print((time.perf_counter() - torch_done) / (torch_done - start))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    shares = [
        float(subprocess.run([sys.executable, "-c", PROGRAM], stdout=-1, check=True).stdout)
        for _ in range(rounds + 1)
    ][1:]
    print(f"import maxsup adds {100 * statistics.median(shares):.2f} % to import torch")
    print(f"(median of {rounds} processes; {100 * min(shares):.2f} to {100 * max(shares):.2f} %)")


if __name__ == "__main__":
    main()
