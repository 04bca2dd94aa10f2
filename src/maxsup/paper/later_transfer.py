"""Linear transfer with a wide grid of penalties (later version)."""

from dataclasses import replace

from maxsup.paper._entry import Column, Entry, Look, Measure, read_printed
from maxsup.paper._experiments import IMAGENET_RESNET50
from maxsup.paper._remarks import ON_METHODS

DATA = ("CIFAR-10", "CIFAR-100", "CUB-200-2011", "Flowers", "Food-101", "Pets")
_NAMES = ("cifar10", "cifar100", "cub", "flowers", "food", "pets")

_EXPERIMENT = replace(
    IMAGENET_RESNET50, look=Look(("transfer", "finer")), others=DATA, at_hand="parity"
)

ENTRY = Entry(
    name="later-transfer",
    title="Linear transfer, wide grid",
    shows="How well frozen features serve other data, with 45 penalties to choose from.",
    columns=tuple(
        Column(
            name,
            data,
            _EXPERIMENT,
            Measure(
                f"test_transfer_{{{number}}}_probe",
                f"Accuracy on {data} in %",
                source="inspection",
                percent=True,
                at_hand="test_finer_probe",
                label_at_hand="Accuracy of a probe for finer labels, in %",
            ),
        )
        for number, (name, data) in enumerate(zip(_NAMES, DATA, strict=True))
    ),
    printed=read_printed("""
                                       cifar10 cifar100 cub   flowers food  pets
        baseline                       91.74   75.35    70.21 90.96   72.44 92.30
        label-smoothing:alpha=0.1..0.2 90.14   71.28    64.50 84.84   67.76 91.96
        online-label-smoothing         90.29   73.13    67.86 87.47   69.34 92.21
        maxsup:alpha=0.1..0.2          91.00   73.93    67.29 88.84   70.94 92.93
    """),
    remarks=ON_METHODS,
    later=True,
)
