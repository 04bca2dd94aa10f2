"""The trainings of the paper, which several tables share, and the quantities it prints."""

from maxsup.paper._entry import Experiment, Look, Measure

ACCURACY = Measure("test_accuracy", "Accuracy in %", percent=True)
D_WITHIN_TRAIN = Measure("train_d_within", "d_within, training", digits=4)
D_WITHIN = Measure("test_d_within", "d_within, validation", digits=4)
D_TOTAL_TRAIN = Measure("train_d_total", "d_total, training", digits=4)
D_TOTAL = Measure("test_d_total", "d_total, validation", digits=4)
R2_TRAIN = Measure("train_r2", "R², training", digits=4)
R2 = Measure("test_r2", "R², validation", digits=4)

_IMAGENET = "ImageNet-1K"
_CIFAR100 = "CIFAR-100"


def _imagenet(model: str) -> Experiment:
    return Experiment(f"imagenet-{model}", f"imagenet-{model}", _IMAGENET)


def _cifar100(model: str) -> Experiment:
    return Experiment(f"cifar100-{model}", f"cifar100-{model}", _CIFAR100)


IMAGENET = {
    f"imagenet-{model}": _imagenet(model)
    for model in ("resnet18", "resnet50", "resnet101", "mobilenetv2")
}
CIFAR100 = {
    f"cifar100-{model}": _cifar100(model)
    for model in ("resnet18", "resnet50", "resnet101", "mobilenetv2")
}
IMAGENET_RESNET50 = IMAGENET["imagenet-resnet50"]
IMAGENET_DEIT_SMALL = _imagenet("deit-small")

_TORCHVISION_MODELS = {
    "resnet18": "resnet18",
    "resnet50": "resnet50",
    "resnet101": "resnet101",
    "mobilenetv2": "mobilenetv2_100",
}
TORCHVISION_V1 = {
    f"imagenet-{name}": Experiment(
        f"imagenet-torchvision-v1-{name}",
        "imagenet-torchvision-v1",
        _IMAGENET,
        changes={"model": model},
    )
    for name, model in _TORCHVISION_MODELS.items()
}

FINE_GRAINED = {
    "cub": Experiment("cub-resnet50", "cub-resnet50", "CUB-200-2011", guessed=True),
    "cars": Experiment("cars-resnet50", "cars-resnet50", "Stanford Cars", guessed=True),
}


def long_tail(imbalance: int) -> Experiment:
    """CIFAR-10, thinned so that the largest class has so many times the images of the smallest."""
    return Experiment(
        f"cifar10-lt-{imbalance}-resnet32",
        "cifar10-lt-resnet32",
        "CIFAR-10",
        data_changes={"imbalance": float(imbalance)},
        guessed=True,
    )


CORRUPTED_CIFAR10 = Experiment(
    "cifar10-resnet50",
    "cifar100-resnet50",
    "CIFAR-10",
    data_changes={"label_column": "label"},
    guessed=True,
    look=Look(("corruptions",), {"corruptions": ("common",)}),
)

ADE20K = Experiment(
    "ade20k-upernet-deit-small",
    "ade20k-upernet-deit-small",
    "ADE20K",
    at_hand="masks",
    backbones=IMAGENET_DEIT_SMALL,
)
