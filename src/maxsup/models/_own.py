"""The networks that are ours, since timm has none of their size."""

from functools import partial
from typing import Protocol

from torch import nn

from maxsup.models import _cifar_resnet, _small_convnet, _small_resnet
from maxsup.models._cifar_resnet import CifarResNet
from maxsup.models._small_convnet import SmallConvNet
from maxsup.models._small_resnet import SmallResNet


class _Build(Protocol):
    def __call__(self, *, num_classes: int, in_channels: int) -> nn.Module: ...


OWN_CLASSES = (SmallConvNet, SmallResNet, CifarResNet)
"""Each has ``levels``, beside what timm's models have."""

OWN_MODELS: dict[str, _Build] = {
    _small_convnet.NAME: SmallConvNet,
    _small_resnet.NAME: SmallResNet,
    **{
        name: partial(CifarResNet, int(name.removeprefix("cifar-resnet")))
        for name in _cifar_resnet.NAMES
    },
}
"""From a name to the network, of ``num_classes`` and ``in_channels``."""


def is_own(name: str) -> bool:
    """Whether a model is one of ours, which timm does not have."""
    return name in OWN_MODELS
