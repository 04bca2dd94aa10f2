"""Where in an image a model finds its answer: Grad-CAM, with hooks of our own."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from maxsup.models._cam_layer import SpatialLayer, find_layer


class ActivationMaps(NamedTuple):
    """Where the score of a class comes from, in each of a batch of images."""

    maps: Tensor
    """(N, h, w) float32, 0 or more, as large as the layer's grid; not scaled."""
    classes: Tensor
    """(N,) int64: the class whose score it is."""
    layer: str
    """The name of the module whose output was looked at."""


def grad_cam(
    model: nn.Module,
    images: Tensor,
    target: Tensor | int | None = None,
    layer: str | None = None,
) -> ActivationMaps:
    """Grad-CAM (Selvaraju et al. 2017): how much each place of a layer speaks for a class.

    With A_c the layer's output in channel c, z the class's logit and the mean over the places of
    the layer's grid::

        map = ReLU(Σ_c α_c·A_c),  α_c = mean over places of ∂z/∂A_c

    By default the layer is the last one that still has places: of convolutional networks and others
    that pool, the map that is pooled; of vision transformers that answer by a class token, the
    first norm of the last block, as in the MaxSup paper, without that token and its like; of Swin
    the second norm of the last block, as what it pools has been spread over all places. The
    model runs in evaluation mode and float32, so an image's map does not depend on the others of
    its batch; its mode, its parameters' gradients and its hooks are afterwards as they were.

    Args:
        model: From images to logits (N, K): one of :func:`create_model`, or any other.
        images: (N, C, H, W), normalised.
        target: Whose score it is: a class index, or one for each image, (N,) integers; by default
            the class that the model predicts.
        layer: The name of a module as ``model.named_modules()`` has it; its output is
            (N, channels, h, w), (N, h, w, channels), or tokens (N, T, channels).

    Raises:
        ValueError: An argument is not as described; there is no such layer (near names are given),
            its output has no places, or the score does not depend on it.

    Example:
        >>> from maxsup.models import SmallConvNet
        >>> model = SmallConvNet(num_classes=10, in_channels=1)
        >>> found = grad_cam(model, torch.rand(2, 1, 8, 8), target=3)
        >>> found.maps.shape, found.classes.tolist(), found.layer
        (torch.Size([2, 2, 2]), [3, 3], 'body')
    """
    _check_images(images)
    with torch.inference_mode(False), torch.no_grad():
        # What was made in inference mode can be no part of a graph.
        images = images.clone() if images.is_inference() else images
        model = copy.deepcopy(model) if _is_inference(model) else model
    with _undisturbed(model), torch.inference_mode(False), torch.no_grad():
        found = find_layer(model, images[:1], layer)
        activation, logits = _forward_from(model, images, found)
        classes = _classes(target, logits)
        with torch.enable_grad():
            score = logits.gather(1, classes.unsqueeze(1)).sum()
        gradient = _gradient(score, activation, found.name)
        places, slopes = found.places(activation.detach()), found.places(gradient)
        maps = (places * slopes.mean(dim=(1, 2), keepdim=True)).sum(dim=3).relu()
    return ActivationMaps(maps.float(), classes, found.name)


def scale_maps(maps: Tensor) -> Tensor:
    """Each map from its least to its largest value scaled to 0…1; a map of one value becomes 0.

    Args:
        maps: (N, h, w), finite.

    Example:
        >>> scale_maps(torch.tensor([[[1.0, 3.0], [2.0, 5.0]], [[4.0, 4.0], [4.0, 4.0]]]))
        tensor([[[0.0000, 0.5000],
                 [0.2500, 1.0000]],
        <BLANKLINE>
                [[0.0000, 0.0000],
                 [0.0000, 0.0000]]])
    """
    least, largest = maps.amin(dim=(1, 2), keepdim=True), maps.amax(dim=(1, 2), keepdim=True)
    span = largest - least
    return torch.where(span > 0, (maps - least) / torch.where(span > 0, span, 1), 0.0)


def _forward_from(model: nn.Module, images: Tensor, layer: SpatialLayer) -> tuple[Tensor, Tensor]:
    """The layer's output, a leaf of the graph that leads from it to the logits."""
    leaves: list[Tensor] = []

    def begin(module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
        # What comes before needs no graph, and so no memory.
        torch.set_grad_enabled(True)
        leaves.append(output.detach().requires_grad_())
        # A layer behind may work in place, which a leaf does not allow.
        return leaves[-1].clone()

    with _hooked(layer.module, begin):
        logits = model(images)
    torch.set_grad_enabled(False)
    if not isinstance(logits, Tensor) or logits.dim() != 2 or len(logits) != len(images):
        came = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        raise ValueError(f"model must give logits of shape (N, K) for N images; it gave {came}.")
    return leaves[-1], logits


def _gradient(score: Tensor, activation: Tensor, layer: str) -> Tensor:
    gradient = None
    if score.requires_grad:
        (gradient,) = torch.autograd.grad(score, activation, allow_unused=True)
    if gradient is None:
        raise ValueError(
            f"layer: the logits do not depend on the output of {layer}, or not in a way that has a "
            "gradient. Name a layer that they are computed from."
        )
    return gradient


def _classes(target: Tensor | int | None, logits: Tensor) -> Tensor:
    if target is None:
        return logits.argmax(dim=1)
    classes = torch.as_tensor(target, device=logits.device)
    count, available = logits.shape
    if classes.is_floating_point() or classes.dtype == torch.bool or classes.is_complex():
        raise ValueError(f"target must hold class indices, integers; got {classes.dtype}.")
    if classes.dim() and tuple(classes.shape) != (count,):
        raise ValueError(
            f"target must be one class index or one for each image, shape ({count},); "
            f"got {tuple(classes.shape)}."
        )
    classes = classes.long().expand(count)
    wrong = classes[(classes < 0) | (classes >= available)]
    if len(wrong):
        raise ValueError(
            f"target holds {int(wrong[0])}, outside [0, {available}): the model has {available} "
            "classes."
        )
    return classes.clone()  # it may have been made in inference mode


def _is_inference(model: nn.Module) -> bool:
    return any(each.is_inference() for each in (*model.parameters(), *model.buffers()))


def _check_images(images: Tensor) -> None:
    if not isinstance(images, Tensor) or not images.is_floating_point():
        came = images.dtype if isinstance(images, Tensor) else type(images).__name__
        raise ValueError(
            f"images must be a floating-point tensor, normalised as for the model; got {came}."
        )
    if images.dim() != 4 or 0 in images.shape:
        raise ValueError(
            f"images must have shape (N, C, H, W) with N >= 1; got {tuple(images.shape)}."
        )


@contextmanager
def _undisturbed(model: nn.Module) -> Iterator[None]:
    """The model in evaluation mode and full precision; afterwards each module is as it was."""
    modes = [(module, module.training) for module in model.modules()]
    grad_was_enabled = torch.is_grad_enabled()
    first = next(model.parameters(), None)
    device = "cpu" if first is None else first.device.type
    model.eval()
    try:
        with torch.autocast(device, enabled=False):
            yield
    finally:
        torch.set_grad_enabled(grad_was_enabled)
        for module, training in modes:
            module.training = training


@contextmanager
def _hooked(module: nn.Module, hook: Callable[[nn.Module, Any, Any], Any]) -> Iterator[None]:
    handle = module.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()
