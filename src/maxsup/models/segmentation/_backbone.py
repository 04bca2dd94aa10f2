"""The maps of a backbone that a segmentation head is given."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from maxsup.models._own import OWN_CLASSES
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
        is_own = isinstance(model, OWN_CLASSES)
        if not is_own and not hasattr(model, "forward_intermediates"):
            raise ValueError(
                f"{name} gives no feature levels (timm's forward_intermediates), so it cannot be "
                "the backbone of a segmentation. Take another model, or a newer timm."
            )
        image = torch.zeros(1, in_channels, *image_size)
        self.name = name
        self.model = model
        self.indices: list[int] = []
        self.scales: tuple[float, ...] | None = None
        self.norm = False
        shapes = [
            tuple(maps.shape[1:]) for maps in self._try(name, self._all_levels(is_own), image)
        ]
        self._choose(shapes, deepest_only)
        chosen = [shapes[index] for index in self.indices]
        self.channels = tuple(shape[0] for shape in chosen)
        """Channels of each level."""
        strides = [
            max(-(-side // cells) for side, cells in zip(image_size, shape[1:], strict=True))
            for shape in chosen
        ]
        self.stride = max(strides)
        """Pixels of an image's side to a cell of the deepest map."""
        self.multiple = self.stride
        """What the sides of images are brought to a multiple of."""
        is_pyramid = self.scales is None and not self.norm
        if is_pyramid and self._covers(is_own, strides, image_size, in_channels):
            self.multiple = 1
        self.fixed_size = None if self._takes_larger(is_own, image) else image_size
        """The one size of images, of backbones that take no other."""
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

    def _try(
        self, name: str, levels: Callable[[Tensor], list[Tensor]], image: Tensor
    ) -> list[Tensor]:
        self.model.eval()
        try:
            with torch.no_grad():
                found = list(levels(image))
        except Exception as error:  # as many kinds as there are networks
            height, width = image.shape[2:]
            raise ValueError(
                f"{name} gives no feature levels of an image of {height}×{width} pixels "
                f"({type(error).__name__}: {error}). Take larger images or crops, or another model."
            ) from error
        finally:
            self.model.train()
        if not found or any(not isinstance(maps, Tensor) or maps.dim() != 4 for maps in found):
            raise ValueError(
                f"{name} gives no feature levels: its stages' outputs are no maps. Take another "
                "model."
            )
        return found

    def _covers(
        self, is_own: bool, strides: Sequence[int], image_size: tuple[int, int], in_channels: int
    ) -> bool:
        """Whether the maps cover the last pixels of an image of any size, as most CNNs' do."""
        # One pixel more than a multiple is what rounding down, or halves that differ, fail at.
        height, width = (max(side - max(strides) + 1, 1) for side in image_size)
        found = self._shapes(is_own, torch.zeros(1, in_channels, height, width))
        expected = [(-(-height // stride), -(-width // stride)) for stride in strides]
        return found is not None and [found[i] for i in self.indices] == expected

    def _takes_larger(self, is_own: bool, image: Tensor) -> bool:
        if is_own or getattr(self.model, "dynamic_img_size", False):
            return True
        larger = pad(image, (0, 0, 0, max(self.multiple, 1)))
        return self._shapes(is_own, larger) is not None

    def _shapes(self, is_own: bool, image: Tensor) -> list[tuple[int, ...]] | None:
        try:
            levels = self._try(self.name, self._all_levels(is_own), image)
        except ValueError:
            return None
        return [tuple(maps.shape[2:]) for maps in levels]

    def check_size(self, in_channels: int, size: tuple[int, int]) -> None:
        """See that it gives maps of images of this height and width.

        Raises:
            ValueError: It does not: they are too small, or too large for it.
        """
        image = torch.zeros(1, in_channels, *self.padded(size))
        self._try(self.name, self, image)

    def padded(self, size: tuple[int, int]) -> tuple[int, int]:
        """The height and width that images of this height and width are padded to.

        Raises:
            ValueError: The backbone takes images of one size alone, and these are larger.
        """
        height, width = size
        if self.fixed_size is None:
            return height + -height % self.multiple, width + -width % self.multiple
        tall, wide = self.fixed_size
        if height > tall or width > wide:
            raise ValueError(
                f"{self.name} takes images of {tall}×{wide} pixels and no larger ones; got "
                f"{height}×{width}. Predict in windows of that size, or make it for another by "
                "image_size."
            )
        return self.fixed_size

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
        if isinstance(model, OWN_CLASSES):
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
