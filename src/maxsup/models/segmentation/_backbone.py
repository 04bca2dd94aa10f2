"""The maps of a backbone that a segmentation head is given."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from maxsup.models._cifar_resnet import CifarResNet
from maxsup.models._small_convnet import SmallConvNet
from maxsup.models.segmentation._heads import resize

_LEVELS = 4
_PLAIN_SCALES = (4, 2, 1, 0.5)
"""How the maps of a plain vision transformer, all of one size, become a pyramid."""


class Backbone(nn.Module):
    """A classifier without its last layer, which gives feature maps, the finest first.

    Of networks whose maps become smaller it gives the last four sizes. Of plain vision
    transformers, whose maps are all of one size, it gives those after each quarter of the blocks
    (3, 6, 9, 12 of 12), resized ×4, ×2, ×1 and ×½, bilinear. What comes behind the last map is
    taken off, so that every parameter takes part.

    Args:
        name: What the model is called, for messages.
        model: Of :func:`maxsup.models.create_model`.
        in_channels: Channels of the images.
        image_size: Height and width of an image to try it with.
        deepest_only: Give the deepest map alone, of plain vision transformers behind their norm.

    Raises:
        ValueError: The model gives no maps.
    """

    def __init__(
        self,
        name: str,
        model: nn.Module,
        in_channels: int,
        image_size: tuple[int, int],
        *,
        deepest_only: bool = False,
    ) -> None:
        super().__init__()
        is_own = isinstance(model, SmallConvNet | CifarResNet)
        if not is_own and not hasattr(model, "forward_intermediates"):
            raise ValueError(
                f"{name} gives no feature levels (timm's forward_intermediates), so it cannot be "
                "the backbone of a segmentation. Take another model, or a newer timm."
            )
        self._image = torch.zeros(1, in_channels, *image_size)
        self.model = model
        self.indices: list[int] = []
        self.scales: tuple[float, ...] | None = None
        self.norm = False
        shapes = [tuple(maps.shape[1:]) for maps in self._try(name, self._all_levels(is_own))]
        self._choose(shapes, deepest_only)
        del self._image
        chosen = [shapes[index] for index in self.indices]
        self.channels = tuple(shape[0] for shape in chosen)
        """Channels of each level."""
        self.multiple = max(
            max(math.ceil(image_size[0] / height), math.ceil(image_size[1] / width))
            for _, height, width in chosen
        )
        """What the sides of images are to be multiples of."""
        if is_own:
            model.head = nn.Identity()
            model.fc = nn.Identity()
        else:
            take: Any = model.prune_intermediate_layers
            self.indices = list(take(self.indices, prune_norm=not self.norm, prune_head=True))

    def _all_levels(self, is_own: bool) -> Callable[[Tensor], list[Tensor]]:
        model: Any = self.model
        if is_own:
            return model.levels  # type: ignore[no-any-return]
        return lambda images: model.forward_intermediates(images, intermediates_only=True)

    def _try(self, name: str, levels: Callable[[Tensor], list[Tensor]]) -> list[Tensor]:
        self.model.eval()
        try:
            with torch.no_grad():
                found = list(levels(self._image))
        except (RuntimeError, AssertionError, NotImplementedError, TypeError) as error:
            height, width = self._image.shape[2:]
            raise ValueError(
                f"{name} gives no feature levels of an image of {height}×{width}: {error}"
            ) from error
        finally:
            self.model.train()
        if not found or any(not isinstance(maps, Tensor) or maps.dim() != 4 for maps in found):
            raise ValueError(f"{name} gives no feature levels: its stages' outputs are no maps.")
        return found

    def _choose(self, shapes: Sequence[tuple[int, ...]], deepest_only: bool) -> None:
        count = len(shapes)
        is_plain = count > 1 and len({shape[1:] for shape in shapes}) == 1
        if deepest_only:
            self.indices, self.norm = [count - 1], is_plain
        elif is_plain:
            self.indices = [math.ceil(count * part / _LEVELS) - 1 for part in range(1, _LEVELS + 1)]
            self.scales = _PLAIN_SCALES
        else:
            # Where two have one size, the later one knows more.
            sizes = {shape[1:]: index for index, shape in enumerate(shapes)}
            self.indices = sorted(sizes.values())[-_LEVELS:]

    def forward(self, images: Tensor) -> list[Tensor]:
        """The maps (N, C, h, w) of images whose sides are multiples of ``multiple``."""
        model: Any = self.model
        if isinstance(model, SmallConvNet | CifarResNet):
            levels = model.levels(images)
            return [levels[index] for index in self.indices]
        unique = sorted(set(self.indices))
        found = model.forward_intermediates(
            images, indices=unique, norm=self.norm, intermediates_only=True
        )
        by_index = dict(zip(unique, found, strict=True))
        levels = [by_index[index] for index in self.indices]
        if self.scales is None:
            return levels
        return [
            resize(maps, [max(1, int(side * scale)) for side in maps.shape[2:]])
            for maps, scale in zip(levels, self.scales, strict=True)
        ]
