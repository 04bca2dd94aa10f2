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
        image = torch.zeros(1, in_channels, *image_size)
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
        self.multiple = 1 if self._covers(is_own, strides, image) else max(strides)
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

    def _try(
        self, name: str, levels: Callable[[Tensor], list[Tensor]], image: Tensor
    ) -> list[Tensor]:
        self.model.eval()
        try:
            with torch.no_grad():
                found = list(levels(image))
        except (RuntimeError, AssertionError, NotImplementedError, TypeError) as error:
            height, width = image.shape[2:]
            raise ValueError(
                f"{name} gives no feature levels of an image of {height}×{width}: {error}"
            ) from error
        finally:
            self.model.train()
        if not found or any(not isinstance(maps, Tensor) or maps.dim() != 4 for maps in found):
            raise ValueError(f"{name} gives no feature levels: its stages' outputs are no maps.")
        return found

    def _covers(self, is_own: bool, strides: Sequence[int], image: Tensor) -> bool:
        """Whether the maps cover the last pixels of an image of any size, as most CNNs' do."""
        height, width = (max(side - 1, 1) for side in image.shape[2:])
        expected = [(-(-height // stride), -(-width // stride)) for stride in strides]
        self.model.eval()
        try:
            with torch.no_grad():
                found = list(self._all_levels(is_own)(image[:, :, :height, :width]))
        except (RuntimeError, AssertionError, NotImplementedError, TypeError, ValueError):
            return False
        finally:
            self.model.train()
        return (
            self.scales is None
            and not self.norm
            and expected == [tuple(found[index].shape[2:]) for index in self.indices]
        )

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
