"""A backbone and a head together."""

from collections.abc import Callable
from typing import Any, NamedTuple

import timm
import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from maxsup.models._create import check_name, create_model
from maxsup.models._expected import expected_by
from maxsup.models._own import is_own
from maxsup.models.segmentation._backbone import Backbone
from maxsup.models.segmentation._heads import FcnHead, LinearHead, UperNetHead, resize

HEADS = ("upernet", "linear")
_OWN_SIZE = (32, 32)


class SegmentationLogits(NamedTuple):
    """What a segmentation model gives in training, at the size of the images."""

    main: Tensor
    """(N, K, H, W)."""
    auxiliary: Tensor | None
    """(N, K, H, W) of the auxiliary head; none without one."""


class SegmentationModel(nn.Module):
    """A backbone with a head; see :func:`create_segmentation_model`."""

    def __init__(
        self,
        backbone: Backbone,
        head: nn.Module,
        auxiliary: nn.Module | None,
        *,
        freeze_backbone: bool = False,
    ) -> None:
        super().__init__()
        self.backbone, self.head, self.auxiliary = backbone, head, auxiliary
        self.freeze_backbone = freeze_backbone
        if freeze_backbone:
            backbone.requires_grad_(False)
        self.train()

    def train(self, mode: bool = True) -> "SegmentationModel":
        """As of every module, but a frozen backbone stays in evaluation mode."""
        super().train(mode)
        if self.freeze_backbone:
            self.backbone.eval()
        return self

    def no_weight_decay(self) -> set[str]:
        """Names of the parameters without weight decay: position embeddings and class tokens."""
        ask: Any = getattr(self.backbone.model, "no_weight_decay", None)
        names = set() if ask is None else {f"backbone.model.{name}" for name in ask()}
        return names & {name for name, _ in self.named_parameters()}

    def levels(self, images: Tensor) -> list[Tensor]:
        """The backbone's maps of images (N, C, H, W).

        Where the backbone would leave out the last pixels, images are first padded with 0 below and
        at the right.
        """
        height, width = images.shape[2:]
        tall, wide = self.backbone.padded((height, width))
        if (tall, wide) != (height, width):
            images = pad(images, (0, wide - width, 0, tall - height))
        if self.freeze_backbone:
            with torch.no_grad():
                return self.backbone(images)  # type: ignore[no-any-return]
        return self.backbone(images)  # type: ignore[no-any-return]

    def enlarge(self, logits: Tensor, size: tuple[int, int]) -> Tensor:
        """Logits at the resolution of a head's, brought to images of this height and width."""
        height, width = size
        padded = self.backbone.padded(size)
        large = resize(logits, padded)
        return large if padded == size else large[:, :, :height, :width]

    def forward(self, images: Tensor) -> SegmentationLogits | Tensor:
        """Logits (N, K, H, W) of images (N, C, H, W); in training those of both heads."""
        height, width = images.shape[2:]
        levels = self.levels(images)
        main = self.enlarge(self.head(levels), (height, width))
        if not self.training:
            return main
        auxiliary = None
        if self.auxiliary is not None:
            found = self.auxiliary(levels[max(len(levels) - 2, 0)])
            auxiliary = self.enlarge(found, (height, width))
        return SegmentationLogits(main, auxiliary)


def create_segmentation_model(
    name: str,
    *,
    num_classes: int,
    head: str = "upernet",
    in_channels: int = 3,
    image_size: tuple[int, int] | None = None,
    channels: int = 512,
    small_stem: bool = False,
    zero_init: bool = True,
    blur_pool: bool = False,
    drop_path: float = 0.0,
    weights: str | None = None,
    partial_weights: bool = False,
    freeze_backbone: bool = False,
    auxiliary: bool = True,
    announce: Callable[[str], None] | None = None,
) -> SegmentationModel:
    """A model that gives logits for every pixel; its weights are a function of torch's global seed.

    Args:
        name: The backbone, as :func:`maxsup.models.create_model` knows it.
        num_classes: K.
        head: ``upernet``, or ``linear``: one 1×1 convolution of the deepest map.
        in_channels: Channels of the images.
        image_size: Height and width of training crops, for backbones that need to know it. Their
            position embeddings are brought to it by timm's ``resample_abs_pos_embed`` (bicubic,
            antialiased), and for images of other sizes at each pass. It is rounded up to whole
            cells of the deepest map.
        channels: Channels within UperNet; its auxiliary head has half as many.
        small_stem: As of :func:`maxsup.models.create_model`.
        zero_init: As there.
        blur_pool: As there.
        drop_path: Rate of stochastic depth in the backbone.
        weights: Of the backbone, as there.
        partial_weights: As there.
        freeze_backbone: Train the head alone: the backbone stays in evaluation mode and has no
            gradients.
        auxiliary: Whether UperNet has an auxiliary FCN head on the last map but one.
        announce: Is told what was decided of the weights, in sentences.

    Raises:
        ValueError: There is no such backbone or head, the backbone gives no maps, or the weights
            are not the backbone's.

    Example:
        >>> model = create_segmentation_model("resnet18", num_classes=11, channels=16).eval()
        >>> model(torch.zeros(1, 3, 45, 60)).shape
        torch.Size([1, 11, 45, 60])
    """
    if head not in HEADS:
        raise ValueError(f"head must be one of {', '.join(HEADS)}; got {head!r}.")
    if channels < 2:
        raise ValueError(f"channels must be 2 or more; got {channels}.")
    if image_size is not None and (len(image_size) != 2 or min(image_size) < 1):
        raise ValueError(
            f"image_size must be a height and a width in pixels, each 1 or more; got {image_size}."
        )
    if not is_own(name):
        check_name(name)
    # Drawn first, so that the head is the same whatever the backbone has drawn, or read.
    seed_of_head = int(torch.randint(2**62, ()))
    image_size = _rounded_up(name, image_size)
    at_first, is_resized = _size_to_build(name, image_size, weights)
    classifier: Any = create_model(
        name,
        num_classes=num_classes,
        in_channels=in_channels,
        small_stem=small_stem,
        zero_init=zero_init,
        blur_pool=blur_pool,
        drop_path=drop_path,
        image_size=at_first,
        any_size=True,
        headless=True,
        weights=weights,
        partial_weights=partial_weights,
        announce=announce,
    )
    if is_resized:
        grid = classifier.patch_embed.grid_size
        classifier.set_input_size(img_size=image_size)
        if announce is not None and grid != (now := classifier.patch_embed.grid_size):
            announce(
                f"The position embeddings of {name} are resized from {grid[0]}×{grid[1]} to "
                f"{now[0]}×{now[1]} places (timm's resample_abs_pos_embed: bicubic, antialiased)."
            )
    before = set(classifier.state_dict())
    tried = _size_to_try(name, image_size)
    backbone = Backbone(name, classifier, in_channels, tried, deepest_only=head == "linear")
    if image_size is not None and min(image_size) < min(tried):
        backbone.check_size(in_channels, image_size)
    left_out = sorted(before - set(classifier.state_dict()))
    if weights is not None and announce is not None and left_out:
        announce(f"Of {name}, what comes behind the last map is left out: {', '.join(left_out)}.")
    main: nn.Module
    second: nn.Module | None = None
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of_head)
        if head == "linear":
            main = LinearHead(backbone.channels[-1], num_classes)
        else:
            main = UperNetHead(backbone.channels, num_classes, channels)
            if auxiliary:
                last_but_one = backbone.channels[max(len(backbone.channels) - 2, 0)]
                second = FcnHead(last_but_one, num_classes, channels // 2)
    return SegmentationModel(backbone, main, second, freeze_backbone=freeze_backbone)


def _rounded_up(name: str, image_size: tuple[int, int] | None) -> tuple[int, int] | None:
    """The next size that falls into whole cells of the deepest map, where the size matters."""
    if image_size is None or is_own(name):
        return image_size
    published = timm.models.get_pretrained_cfg(name)
    if published is None or not published.fixed_input_size:
        return image_size
    with torch.random.fork_rng(devices=[]):
        example: Any = create_model(name, num_classes=1)
    stride = max(stage["reduction"] for stage in example.feature_info)
    height, width = image_size
    return height + -height % stride, width + -width % stride


def _size_to_build(
    name: str, image_size: tuple[int, int] | None, weights: str | None
) -> tuple[int | tuple[int, int] | None, bool]:
    """For which size a backbone is made, and whether it is brought to ``image_size`` afterwards.

    Weights are read at the size that they are of, since reading them for another takes position
    embeddings as they are where these are as many but lie in another shape.
    """
    if image_size is None or weights is None or is_own(name):
        return image_size, False
    published = timm.models.get_pretrained_cfg(name)
    if published is None or not published.fixed_input_size:
        return image_size, False
    with torch.random.fork_rng(devices=[]):
        example = create_model(name, num_classes=1)
    if getattr(example, "pos_embed", None) is None or not hasattr(example, "set_input_size"):
        return image_size, False
    return expected_by(name, weights).image_size, True


def _size_to_try(name: str, image_size: tuple[int, int] | None) -> tuple[int, int]:
    if is_own(name):
        return _OWN_SIZE
    published = timm.models.get_pretrained_cfg(name)
    if published is None:
        return image_size or (224, 224)
    if image_size is not None and published.fixed_input_size:
        return image_size
    height, width = published.input_size[1:]
    return height, width
