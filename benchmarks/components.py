"""Components of a map at every threshold: all in one go, against a labelling for each threshold.

    python benchmarks/components.py

Maps of a grid of random values, enlarged to 224×224 pixels, at 1,001 thresholds; the time of one
map on one core, as processor time, the median of the rounds. Both find the box of the largest
component at each threshold, which is checked.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from scipy import ndimage

from maxsup.measures import enlarge_maps
from maxsup.measures._components import components

SIDE, THRESHOLDS = 224, 1001


def main() -> None:
    parser = argparse.ArgumentParser(description="Components at every threshold.")
    parser.add_argument("--grids", type=int, nargs="+", default=[7, 14, 56])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print("grid   in one go   a labelling each   ratio")
    for grid in options.grids:
        values, levels = draw(grid)
        assert np.array_equal(in_one_go(values, levels), a_labelling_each(levels))
        one = median(options.rounds, lambda v=values, le=levels: in_one_go(v, le))
        each = median(options.rounds, lambda le=levels: a_labelling_each(le))
        print(f"{grid:4}   {1000 * one:6.1f} ms   {1000 * each:13.1f} ms   {each / one:5.0f}")


def draw(grid: int) -> tuple[torch.Tensor, torch.Tensor]:
    maps = torch.rand(1, grid, grid, generator=torch.Generator().manual_seed(0))
    values = enlarge_maps(maps, (SIDE, SIDE))[0]
    values = (values - values.min()) / (values.max() - values.min())
    steps = torch.arange(THRESHOLDS, dtype=torch.float64) / (THRESHOLDS - 1)
    return values, torch.searchsorted(steps, values, right=True) - 1


def in_one_go(values: torch.Tensor, levels: torch.Tensor) -> np.ndarray:
    found = components(values, levels, THRESHOLDS)
    rank = found.area * SIDE**2 - found.first
    largest = torch.full((THRESHOLDS,), -(SIDE**4))
    largest.scatter_reduce_(0, found.threshold, rank, "amax")
    chosen = rank == largest[found.threshold]
    boxes = torch.zeros(THRESHOLDS, 4, dtype=torch.int64)
    boxes[found.threshold[chosen]] = found.boxes[chosen]
    return boxes.numpy()


def a_labelling_each(levels: torch.Tensor) -> np.ndarray:
    pixels = levels.numpy()
    boxes = np.zeros((THRESHOLDS, 4), dtype=np.int64)
    for threshold in range(THRESHOLDS):
        labels, _ = ndimage.label(pixels >= threshold, structure=np.ones((3, 3)))
        largest = int(np.bincount(labels.ravel())[1:].argmax()) + 1
        rows, columns = ndimage.find_objects(labels, largest)[largest - 1]
        boxes[threshold] = columns.start, rows.start, columns.stop, rows.stop
    return boxes


def median(rounds: int, work: Callable[[], object]) -> float:
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return statistics.median(times)


if __name__ == "__main__":
    main()
