import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv2d, interpolate

from maxsup.evaluation.segmentation import predict


class Model:
    """Local: what it says of a pixel depends on its neighbours alone."""

    def __init__(self) -> None:
        generator = torch.Generator().manual_seed(0)
        self.kernel = torch.randn(4, 3, 3, 3, generator=generator)
        self.batches: list[tuple[int, ...]] = []

    def __call__(self, images: Tensor) -> Tensor:
        self.batches.append(tuple(images.shape))
        return conv2d(images, self.kernel, padding=1)


def image() -> Tensor:
    return torch.randn(3, 20, 26, generator=torch.Generator().manual_seed(1))


def test_views_are_averaged() -> None:
    model = Model()
    found = predict(model, image(), scales=(0.5, 1.0, 1.75), flip=True)
    total = torch.zeros(4, 20, 26)
    for scale in (0.5, 1.0, 1.75):
        size = (round(20 * scale), round(26 * scale))
        view = interpolate(image()[None], size, mode="bilinear")
        for mirrored in (False, True):
            logits = model(view.flip(3) if mirrored else view)
            logits = logits.flip(3) if mirrored else logits
            total += interpolate(logits, (20, 26), mode="bilinear")[0].softmax(0)
    assert torch.allclose(found, total / 6, atol=1e-6)
    assert torch.allclose(found.sum(0), torch.ones(20, 26))


@pytest.mark.parametrize(
    ("window", "stride"), [((8, 8), (5, 6)), ((8, 30), (8, 30)), ((20, 26), None), ((7, 9), None)]
)
def test_windows_against_one_by_one(
    window: tuple[int, int], stride: tuple[int, int] | None
) -> None:
    model = Model()
    found = predict(model, image(), window=window, stride=stride)
    assert max(shape[0] for shape in model.batches) <= 8
    assert all(shape[2] <= window[0] and shape[3] <= window[1] for shape in model.batches)
    down, right = stride or (window[0] * 2 // 3, window[1] * 2 // 3)
    tall, wide = min(window[0], 20), min(window[1], 26)
    total, seen = torch.zeros(4, 20, 26), torch.zeros(20, 26)
    tops = sorted({min(top, 20 - tall) for top in range(0, 20, down)})
    lefts = sorted({min(left, 26 - wide) for left in range(0, 26, right)})
    for top in tops:
        for left in lefts:
            part = image()[None, :, top : top + tall, left : left + wide]
            total[:, top : top + tall, left : left + wide] += model(part)[0]
            seen[top : top + tall, left : left + wide] += 1
    assert seen.min() >= 1
    assert torch.allclose(found, (total / seen).softmax(0), atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scales": ()}, "scales must be one or more"),
        ({"scales": (1.0, 0.0)}, "scales must be one or more"),
        ({"window": (0, 4)}, "window must be a height and a width"),
        ({"window": (4, 4), "stride": (5, 4)}, "pixels between windows were not seen"),
        ({"window": (4, 4), "stride": (0, 4)}, "stride must lie from 1"),
        ({"stride": (2, 2)}, "no effect without a window"),
    ],
)
def test_bad_input_is_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        predict(Model(), image(), **options)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"image must have shape \(C, H, W\)"):
        predict(Model(), torch.zeros(1, 3, 8, 8))
