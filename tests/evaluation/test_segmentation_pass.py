"""What a pass over images with masks counts, in any order and any number of processes."""

import socket
from pathlib import Path

import pytest
import torch
from tests.data.masks import scene, write_pairs
from tests.forked import ForkedProcess
from torch import Tensor, nn

from maxsup.data import DataSettings, Normalization
from maxsup.data.masks import VOID, MaskSplit, load_masks
from maxsup.evaluation import Execution, SegmentationFound, Views, segmentation_pass

CLASSES = 3
NORMALIZATION = Normalization((0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
ALONE = Execution(torch.device("cpu"))


class Shifted(nn.Module):
    """Colours as logits, a little to the side: right within a stripe, wrong beside its edge."""

    def forward(self, images: Tensor) -> Tensor:
        return images.roll(1, dims=3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven test images of two sizes, one of them larger than what is kept for pictures."""
    root = tmp_path_factory.mktemp("scenes")
    sizes = [(24, 16), (17, 30), (24, 16), (400, 9), (24, 16), (24, 16), (17, 30)]
    for split, first in (("train", 0), ("test", 100)):
        found = [scene(first + number, size) for number, size in enumerate(sizes)]
        write_pairs(root / split / "images", root / split / "masks", found)
    return root


def load(folder: Path) -> MaskSplit:
    return load_masks(DataSettings(str(folder))).test


def count(split: MaskSplit, execution: Execution = ALONE) -> SegmentationFound:
    return segmentation_pass(
        Shifted(), split, NORMALIZATION, execution, CLASSES, Views(), boundary=True, shown=True
    )


def same(one: SegmentationFound, other: SegmentationFound) -> bool:
    assert one.boundary is not None
    assert other.boundary is not None
    return (
        torch.equal(one.matrix, other.matrix)
        and torch.equal(one.by_image, other.by_image)
        and torch.equal(one.boundary, other.boundary)
        and one.shown.keys() == other.shown.keys()
        and all(torch.equal(mask, other.shown[number]) for number, mask in one.shown.items())
    )


def test_counts_are_those_of_each_pixel(folder: Path) -> None:
    split = load(folder)
    found = count(split)
    matrix = torch.zeros(CLASSES, CLASSES, dtype=torch.int64)
    for row, pixels, truth in split.items():
        predicted = NORMALIZATION(pixels.unsqueeze(0)).roll(1, dims=3)[0].argmax(0)
        own = torch.zeros_like(matrix)
        for true, guess in zip(truth.flatten().tolist(), predicted.flatten().tolist(), strict=True):
            if true != VOID:
                own[true, guess] += 1
        expected = torch.stack((own.sum(1), own.sum(0), own.diagonal()), dim=1)
        assert torch.equal(found.by_image[row], expected)
        matrix += own
        shown = found.shown[int(split.ids[row])]
        if max(truth.shape) <= 320:
            assert torch.equal(shown, torch.where(truth == VOID, VOID, predicted).to(torch.uint8))
        else:
            # As wide as is kept, each pixel one of the prediction's own.
            assert shown.shape == (round(9 * 320 / 400), 320)
            assert {*shown.unique().tolist()} <= {0, 1, 2, VOID}
    assert torch.equal(found.matrix, matrix)
    # Both margins and the diagonal are sums over the images.
    whole = torch.stack((matrix.sum(1), matrix.sum(0), matrix.diagonal()), dim=1)
    assert torch.equal(found.by_image.sum(0), whole)
    assert found.boundary is not None
    # Near boundaries is a part, of which more is wrong.
    inner, union = found.boundary.unbind(1)
    assert bool((inner <= whole[:, 2]).all())
    assert bool((union <= whole[:, 0] + whole[:, 1] - whole[:, 2]).all())
    iou = whole[:, 2] / (whole[:, 0] + whole[:, 1] - whole[:, 2])
    assert bool((inner / union < iou).all())


def test_the_order_of_the_images_is_of_no_account(folder: Path) -> None:
    split = load(folder)
    order = torch.tensor([3, 0, 6, 5, 1, 4, 2])
    found, other = count(split), count(split.select(order))
    assert torch.equal(other.by_image, found.by_image[order])
    rows = split.ids[order]
    assert {*other.shown} == {*rows.tolist()} == {*found.shown}
    assert same(found, other._replace(by_image=found.by_image))


def test_what_is_not_asked_for_is_not_counted(folder: Path) -> None:
    found = segmentation_pass(Shifted(), load(folder), NORMALIZATION, ALONE, CLASSES)
    assert found.boundary is None
    assert found.shown == {}


def test_a_model_that_gives_nan_is_stopped(folder: Path) -> None:
    class Broken(Shifted):
        def forward(self, images: Tensor) -> Tensor:
            return super().forward(images) / 0

    with pytest.raises(FloatingPointError, match="infinite or NaN"):
        segmentation_pass(Broken(), load(folder), NORMALIZATION, ALONE, CLASSES)


def count_in_process(folder: str, rank: int, processes: int, port: int, out: str) -> None:
    """One of several processes."""
    torch.distributed.init_process_group(
        "gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=processes
    )
    execution = Execution(torch.device("cpu"), rank=rank, processes=processes)
    torch.save(tuple(count(load(Path(folder)), execution)), out)
    torch.distributed.barrier()


def test_two_processes_count_as_one(folder: Path, tmp_path: Path) -> None:
    """Seven images, of which one process has four; both end with all counts."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = [tmp_path / f"{rank}.pt" for rank in range(2)]
    started = [
        ForkedProcess(
            count_in_process,
            (str(folder), rank, 2, port, str(place)),
            log=tmp_path / f"{rank}.log",
            environment={"OMP_NUM_THREADS": "1"},
        )
        for rank, place in enumerate(places)
    ]
    for process in started:
        assert process.wait() == 0, process.output()
    alone = count(load(folder))
    for place in places:
        assert same(SegmentationFound(*torch.load(place)), alone)
