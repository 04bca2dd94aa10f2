"""Table 4: accuracy of convolutional networks on ImageNet and CIFAR-100 (Section 5.1)."""

from maxsup.paper._entry import Entry, Remark, columns_of, read_printed
from maxsup.paper._experiments import ACCURACY, CIFAR100, IMAGENET
from maxsup.paper._remarks import ON_METHODS

ENTRY = Entry(
    name="table4",
    title="Table 4",
    shows="Accuracy of ResNet-18/50/101 and MobileNetV2, from scratch.",
    columns=columns_of({**IMAGENET, **CIFAR100}, ACCURACY),
    printed={
        **read_printed("""
                                imagenet-resnet18 imagenet-resnet50 imagenet-resnet101 imagenet-mobilenetv2
            baseline                       69.09±.12 76.41±.10 75.96±.18 71.40±.12
            label-smoothing:alpha=0.1..0.2 69.54±.15 76.91±.11 77.37±.15 71.61±.09
            zipf-label-smoothing           69.31±.12 76.73±.17 76.91±.11 71.16±.15
            online-label-smoothing         69.45±.15 77.23±.21 77.71±.17 71.63±.11
            maxsup:alpha=0.1..0.2          69.96±.13 77.69±.07 78.18±.12 72.08±.17
            logit-penalty                  68.48±.10 76.73±.10 77.20±.15 71.13±.10
        """),  # noqa: E501
        **read_printed("""
                                cifar100-resnet18 cifar100-resnet50 cifar100-resnet101 cifar100-mobilenetv2
            baseline                       76.16±.18 78.69±.16 79.11±.21 68.06±.06
            label-smoothing:alpha=0.1..0.2 77.05±.17 78.88±.13 79.19±.25 69.65±.08
            zipf-label-smoothing           76.21±.12 78.75±.21 79.15±.18 69.39±.08
            online-label-smoothing         77.33±.15 78.79±.12 79.25±.15 68.91±.11
            maxsup:alpha=0.1..0.2          77.82±.15 79.15±.13 79.41±.19 69.88±.07
            logit-penalty                  76.41±.15 78.90±.16 78.89±.21 69.46±.08
        """),  # noqa: E501
    },
    remarks=(
        Remark(
            "The number of seeds behind ± is not stated.",
        ),
        Remark(
            "The recipe of 200 epochs is not published; the authors' configuration for ImageNet "
            "has 90 epochs, batches of 4×512, learning rate 0.8 and steps of 30 epochs.",
            columns=tuple(IMAGENET),
        ),
        Remark(
            "The baseline of ResNet-101 is printed below that of ResNet-50.",
            methods=("baseline",),
            columns=("imagenet-resnet101",),
        ),
        Remark(
            "The public script behind the recipe takes its best epoch on the test set; here it is "
            "the last one.",
            columns=tuple(CIFAR100),
        ),
        *ON_METHODS,
        Remark(
            "The paper smooths with α from 0.1 to 0.2 over t/T; the authors' code has no schedule "
            "for label smoothing, and three different ones for MaxSup.",
            methods=("label-smoothing:alpha=0.1..0.2", "maxsup:alpha=0.1..0.2"),
        ),
    ),
)
