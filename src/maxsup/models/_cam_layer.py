"""The layer of a model whose output has places, and how these lie in it."""

import difflib
import math
from collections.abc import Callable
from typing import Any, NamedTuple

from torch import Tensor, nn

_FIRST_NORMS = ("norm1", "ln_1")
"""What timm and torchvision call the norm before a block's attention."""
_SECOND_NORM = "norm2"
"""What timm and torchvision call the norm before, or behind, a block's second half."""
_USUAL_PREFIXES = (0, 1, 2, 5)
"""How many tokens may come before those of the places: none, a class token, and its like."""


class SpatialLayer(NamedTuple):
    """A module whose output says something of each place of an image."""

    name: str
    """As ``model.named_modules()`` has it."""
    module: nn.Module
    places: Callable[[Tensor], Tensor]
    """From such an output to (N, h, w, channels)."""


def find_layer(model: nn.Module, images: Tensor, name: str | None = None) -> SpatialLayer:
    """The layer of this name, or the one that a class activation map is made of by default.

    Whatever the model is, it is found by looking at a pass: the last module whose output is a grid
    of more than one place, channels first or last; where a class token beside the places gives the
    answer, the first norm of the last block; where blocks have maps with channels last, as Swin's,
    the second norm of the last block.

    Args:
        model: In evaluation mode.
        images: (N, C, H, W), one is enough.
        name: A module's name.

    Raises:
        ValueError: There is no such layer, or its output has no places.
    """
    passed = _watch(model, images, name)
    if name is not None:
        return _named(model, name, passed, images)
    spatial = [
        SpatialLayer(each, module, places)
        for each, module, output in passed
        if (places := _places(model, output, images)) is not None
    ]
    if not spatial:
        raise ValueError(
            "model has no layer whose output is a grid of places, (N, channels, h, w), "
            "(N, h, w, channels) or tokens, so there is nothing to map."
        )
    last = spatial[-1]
    outputs = {each.name: each.output for each in passed}
    if outputs[last.name].dim() == 3 and _answers_by_token(model, outputs[last.name], images):
        # Behind the last block's attention the class token looks at no place any more.
        norms = [each for each in spatial if each.name.rpartition(".")[2] in _FIRST_NORMS]
        return norms[-1] if norms else last
    # Swin's windows spread what they see over all places before they are pooled.
    as_tokens = _is_channels_last(last, outputs[last.name])
    norms = [
        each
        for each in spatial
        if each.name.rpartition(".")[2] == _SECOND_NORM
        and (
            _is_channels_last(each, outputs[each.name])
            or (as_tokens and outputs[each.name].dim() == 3)
        )
    ]
    if norms and _grid_of(norms[-1], outputs) == _grid_of(last, outputs):
        return norms[-1]
    return last


def _is_channels_last(layer: SpatialLayer, output: Tensor) -> bool:
    return output.dim() == 4 and layer.places(output).shape == output.shape


def _grid_of(layer: SpatialLayer, outputs: dict[str, Tensor]) -> tuple[int, ...]:
    return tuple(layer.places(outputs[layer.name]).shape[1:3])


class _Passed(NamedTuple):
    """A module that a pass went through."""

    name: str
    module: nn.Module
    output: Any


def _watch(model: nn.Module, images: Tensor, name: str | None) -> list[_Passed]:
    """The modules in the order in which a pass leaves them, with shapes of what they give."""
    modules = dict(model.named_modules())
    del modules[""]
    if name is not None:
        if name not in modules:
            raise ValueError(
                f"layer: the model has no module called {name!r}.{_near(name, modules)}"
            )
        modules = {name: modules[name]}
    passed: list[_Passed] = []

    def note(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            # Of the values only the shape counts, and all of them would fill the memory.
            shape = output.detach().to("meta") if isinstance(output, Tensor) else output
            passed.append(_Passed(name, module, shape if isinstance(shape, Tensor) else None))

        return hook

    handles = [module.register_forward_hook(note(each)) for each, module in modules.items()]
    try:
        model(images)
    finally:
        for handle in handles:
            handle.remove()
    # A module that is used several times counts where it is used last.
    return list({each.name: each for each in reversed(passed)}.values())[::-1]


def _named(model: nn.Module, name: str, passed: list[_Passed], images: Tensor) -> SpatialLayer:
    if not passed:
        raise ValueError(f"layer: a pass of the model does not go through {name}. Name another.")
    output = passed[0].output
    places = _places(model, output, images)
    if places is None:
        came = tuple(output.shape) if isinstance(output, Tensor) else "no tensor"
        raise ValueError(
            f"layer: the output of {name} must be a grid of places, (N, channels, h, w), "
            f"(N, h, w, channels) or tokens (N, T, channels); it is {came} for an image of "
            f"{images.shape[2]}×{images.shape[3]}. Name another."
        )
    return SpatialLayer(name, passed[0].module, places)


def _near(name: str, modules: dict[str, nn.Module]) -> str:
    close = difflib.get_close_matches(name, modules, n=5, cutoff=0.5)
    # The last part may be right, and the way there wrong.
    close += [each for each in modules if each.rpartition(".")[2] == name.rpartition(".")[2]][-3:]
    close = list(dict.fromkeys(close)) or list(modules)[-5:]
    return f" Close to it are {', '.join(close)}."


def _places(
    model: nn.Module, output: Tensor | None, images: Tensor
) -> Callable[[Tensor], Tensor] | None:
    """How an output becomes (N, h, w, channels); none where it has no places."""
    height, width = images.shape[2:]
    if not isinstance(output, Tensor) or not output.is_floating_point():
        return None
    if len(output) != len(images):
        return None
    if output.dim() == 4:
        return _channels(model, tuple(output.shape[1:]), height, width)
    if output.dim() == 3 and (found := _tokens(model, output, images)) is not None:
        prefix, grid = found
        return lambda tokens: tokens[:, prefix:].unflatten(1, grid)
    return None


def _tokens(model: nn.Module, output: Tensor, images: Tensor) -> tuple[int, tuple[int, int]] | None:
    """How many tokens come before those of the places, and the grid of these."""
    known = getattr(model, "num_prefix_tokens", None)
    for prefix in _USUAL_PREFIXES if known is None else (int(known),):
        grid = _grid(model, output.shape[1] - prefix, *images.shape[2:])
        if grid is not None:
            return prefix, grid
    return None


def _answers_by_token(model: nn.Module, output: Tensor, images: Tensor) -> bool:
    found = _tokens(model, output, images)
    return found is not None and found[0] > 0 and getattr(model, "global_pool", "token") == "token"


def _channels(
    model: nn.Module, shape: tuple[int, ...], height: int, width: int
) -> Callable[[Tensor], Tensor] | None:
    """Which axis of a map holds the channels: the other two lie to each other as the image's."""
    first, second, third = shape
    channels_first = _misfit(second, third, height, width)
    channels_last = _misfit(first, second, height, width)
    if min(channels_first, channels_last) > 1:
        return None
    says_last = getattr(model, "output_fmt", None) == "NHWC"  # timm's word
    if channels_last < channels_first or (channels_last == channels_first and says_last):
        return (lambda maps: maps) if first * second > 1 else None
    return (lambda maps: maps.permute(0, 2, 3, 1)) if second * third > 1 else None


def _misfit(rows: int, columns: int, height: int, width: int) -> float:
    """By how many places a grid is another than one of the image's shape; rounding makes one."""
    return abs(rows * width - columns * height) / max(height, width)


def _grid(model: nn.Module, tokens: int, height: int, width: int) -> tuple[int, int] | None:
    """Rows and columns of tokens: by the patches' size, or else by the image's shape."""
    patch = getattr(getattr(model, "patch_embed", None), "patch_size", None)
    if isinstance(patch, tuple) and len(patch) == 2:
        rows, columns = math.ceil(height / patch[0]), math.ceil(width / patch[1])
        for grid in ((rows, columns), (height // patch[0], width // patch[1])):
            if tokens == grid[0] * grid[1] > 1:
                return grid
    rows = round(math.sqrt(max(tokens, 0) * height / width))
    if (
        rows
        and tokens > 1
        and tokens % rows == 0
        and _misfit(rows, tokens // rows, height, width) <= 1
    ):
        return rows, tokens // rows
    return None
