import functools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from maxsup.measures import (
    ConfusionMatrix,
    boundary_iou,
    class_iou,
    mean_accuracy,
    mean_iou,
    pixel_accuracy,
    ratio_contributions,
)


def example(seed: int = 0, classes: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    target = torch.randint(classes, (6, 9, 11), generator=generator, dtype=torch.uint8)
    predicted = torch.randint(classes, (6, 9, 11), generator=generator, dtype=torch.uint8)
    target[torch.rand(target.shape, generator=generator) < 0.2] = 255
    return predicted, target


def by_loops(predicted: torch.Tensor, target: torch.Tensor, classes: int) -> torch.Tensor:
    matrix = torch.zeros(classes, classes, dtype=torch.int64)
    for p, t in zip(predicted.flatten().tolist(), target.flatten().tolist(), strict=True):
        if t != 255:
            matrix[t, p] += 1
    return matrix


def test_counts_against_loops_in_any_order_and_parts() -> None:
    predicted, target = example()
    expected = by_loops(predicted, target, 4)
    one, other = ConfusionMatrix(4), ConfusionMatrix(4)
    order = torch.randperm(6, generator=torch.Generator().manual_seed(1))
    for number, index in enumerate(order.tolist()):
        (one if number < 2 else other).update(predicted[index].long(), target[index])
    one.merge_state(other)
    assert one.compute().tolist() == expected.tolist()
    logits = torch.nn.functional.one_hot(predicted.long(), 4).movedim(-1, 1).float()
    of_logits = ConfusionMatrix(4)
    of_logits.update(logits, target.long())
    assert of_logits.compute().tolist() == expected.tolist()


def test_measures_against_sets() -> None:
    predicted, target = example(classes=4)
    predicted[target == 2] = 2
    matrix = by_loops(predicted, target, 5)  # class 4 is nowhere
    iou = class_iou(matrix)
    valid = target != 255
    for label in range(4):
        p, t = (predicted == label) & valid, target == label
        assert float(iou[label]) == pytest.approx(int((p & t).sum()) / int((p | t).sum()))
    assert iou[4].isnan()
    assert float(mean_iou(matrix)) == pytest.approx(float(iou[:4].mean()))
    right = (predicted == target)[valid].double()
    assert float(pixel_accuracy(matrix)) == pytest.approx(float(right.mean()))
    recalls = [(predicted == label)[target == label].double().mean() for label in range(4)]
    assert float(mean_accuracy(matrix)) == pytest.approx(float(torch.stack(recalls).mean()))


def test_a_class_that_is_predicted_alone_counts() -> None:
    matrix = torch.tensor([[3, 1], [0, 0]])
    assert class_iou(matrix).tolist() == [0.75, 0.0]
    assert float(mean_iou(matrix)) == 0.375
    assert float(mean_accuracy(matrix)) == 0.75
    assert class_iou(torch.zeros(2, 2).long()).isnan().all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m, z: m.update(z, z + 7), "target holds 7 in 6 pixels"),
        (lambda m, z: m.update(z + 3, z), "predicted holds 3, which is none of the 3"),
        (lambda m, z: m.update(z + 255, z), "predicted holds 255"),
        (lambda m, z: m.update(z - 1, z), "predicted holds -1"),
        (lambda m, z: m.update(z, z + 256), "target holds 256"),
        (lambda m, z: m.update(z, z[:1]), r"one shape; got \(2, 3\) and \(1, 3\)"),
        (lambda m, z: m.update(torch.zeros(2, 4, 3), z), r"logits of shape \(N, 3, ...\)"),
        (lambda m, z: m.update(z, z.float()), "target must be a tensor of integers"),
        (lambda m, z: ConfusionMatrix(256), "num_classes must be a whole number from 1 to 255"),
        (lambda m, z: ConfusionMatrix(3, void=2), "void must lie behind the 3 classes"),
        (lambda m, z: class_iou(z), r"matrix must have shape \(K, K\)"),
    ],
)
def test_bad_input_is_named(call: Callable[..., Any], message: str) -> None:
    metric = ConfusionMatrix(3)
    with pytest.raises(ValueError, match=message):
        call(metric, torch.zeros(2, 3, dtype=torch.int64))
    assert int(metric.matrix.sum()) == 0


def near_by_loops(mask: torch.Tensor, width: int) -> torch.Tensor:
    height, across = mask.shape
    found = torch.zeros_like(mask)
    steps = range(-width, width + 1)
    for y in range(height):
        for x in range(across):
            outside = any(
                not (0 <= y + dy < height and 0 <= x + dx < across and mask[y + dy, x + dx])
                for dy in steps
                for dx in steps
            )
            found[y, x] = mask[y, x] and outside
    return found


@pytest.mark.parametrize("width", [1, 2])
def test_boundaries_against_loops(width: int) -> None:
    generator = torch.Generator().manual_seed(0)

    def large() -> torch.Tensor:
        cells = torch.randint(3, (3, 4), generator=generator)
        return cells.repeat_interleave(5, 0).repeat_interleave(4, 1)

    predicted, target = large(), large()
    target[3:5, 2:9] = 255
    intersection, union = boundary_iou(predicted, target, 3, width=width)
    near = functools.partial(near_by_loops, width=width)
    for label in range(3):
        p = near((predicted == label) & (target != 255))
        t = near(target == label)
        assert int(intersection[label]) == int((p & t).sum())
        assert int(union[label]) == int((p | t).sum())


def test_right_on_every_labelled_pixel_is_right_near_void_too() -> None:
    """Whatever is predicted in void, which truth leaves open."""
    target = torch.zeros(40, 40, dtype=torch.uint8)
    target[:, 20:] = 1
    predicted = target.clone()
    target[18:22] = 255
    intersection, union = boundary_iou(predicted, target, 2)
    assert intersection.tolist() == union.tolist()
    # Of each half 36 rows are left, in two blocks of 18×20, all but their inner 16×18 near an edge.
    assert union.tolist() == [2 * (18 * 20 - 16 * 18)] * 2


def _counts(images: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Right pixels and pixels in truth or prediction, (N, 5): images differ in what is there."""
    either = torch.randint(0, 400, (images, 5), generator=generator)
    either *= torch.rand(images, 5, generator=generator) < torch.tensor([1.0, 0.9, 0.5, 0.3, 0.0])
    part = torch.rand(images, 5, generator=generator).double() ** 0.5
    return (part * either).long(), either


def test_contributions_are_how_the_measure_changes_with_an_image() -> None:
    """Against the derivative by an image's weight, and in another order of the images."""
    right, either = _counts(40, torch.Generator().manual_seed(0))

    def measure(weights: Tensor) -> float:
        a, b = weights @ right.double(), weights @ either.double()
        return float((a[b > 0] / b[b > 0]).mean())

    found = ratio_contributions(right, either)
    ones = torch.ones(40, dtype=torch.float64)
    assert float(found.mean()) == pytest.approx(measure(ones), rel=1e-12)
    for image in range(40):
        step = torch.zeros(40, dtype=torch.float64)
        step[image] = 1e-5
        slope = (measure(ones + step) - measure(ones - step)) / 2e-5
        assert float(found[image] - found.mean()) == pytest.approx(40 * slope, rel=1e-5, abs=1e-8)
    order = torch.randperm(40, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(ratio_contributions(right[order], either[order]), found[order])


def test_contributions_have_the_spread_of_the_measure() -> None:
    """Over many sets of images: what the spread within one says is that between them."""
    generator = torch.Generator().manual_seed(0)
    measured, said = [], []
    for _ in range(600):
        found = ratio_contributions(*_counts(100, generator))
        measured.append(found.mean())
        said.append(found.var() / 100)
    between = torch.stack(measured).var()
    assert float(torch.stack(said).mean() / between) == pytest.approx(1, abs=0.15)
