"""Other labels of the same images, which a probe learns from a model's features."""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from maxsup.data.sources._columns import find_probe_column
from maxsup.data.sources._files import counted
from maxsup.data.sources._labels import check_enough_classes, read_classes, read_labels
from maxsup.data.sources._open import Source

_LISTED = 5  # classes in a message


@dataclass(frozen=True)
class ProbeLabels:
    """The labels of another column, for every row of the splits that images are taken of."""

    column: str
    classes: tuple[str, ...]
    train: Tensor
    """(rows,) int64: of the split to train on."""
    test: Tensor | None
    """(rows,) int64: of the test split; none where the test set is drawn of the other."""

    def of(self, part: Literal["train", "test"], ids: Tensor) -> Tensor:
        """The labels of samples by their ids, (N,) int64."""
        table = self.train if part == "train" or self.test is None else self.test
        return table[ids]

    def check(self, train_ids: Tensor, test_ids: Tensor) -> None:
        """See that a probe can learn them.

        Args:
            train_ids: Of the samples that it learns from.
            test_ids: Of those that it is measured on.

        Raises:
            ValueError: A class that is measured has no training sample, or none has two, so that
                no part can be held out to choose a penalty by.
        """
        train = self.of("train", train_ids).bincount(minlength=len(self.classes))
        test = self.of("test", test_ids).bincount(minlength=len(self.classes))
        unknown = ((train == 0) & (test > 0)).nonzero().flatten().tolist()
        if unknown:
            named = ", ".join(self.classes[label] for label in unknown[:_LISTED])
            more = f" and {len(unknown) - _LISTED} more" if len(unknown) > _LISTED else ""
            raise ValueError(
                f"probe_label: {counted(len(unknown), 'class', 'classes')} of the column "
                f"{self.column} have test images and no training image, so a probe cannot learn "
                f"them: {named}{more}. Take more training images, or another column."
            )
        if int((train > 0).sum()) < 2 or int(train.max()) < 2:
            raise ValueError(
                f"probe_label: the column {self.column} has {int((train > 0).sum())} classes with "
                f"{int(train.max())} training images at most; a probe needs two classes, and two "
                "images of one. Take another column."
            )


def read_probe_labels(source: Source, column: str) -> ProbeLabels:
    """Read the labels of another column; no image is read for it.

    Raises:
        ValueError: There is no such column, it is the one that is trained on, it cannot be a label,
            or a row has none.
    """
    find_probe_column(column, source.train.features, source.label_column)
    classes = read_classes(source.train, column, source.train_name)
    check_enough_classes(classes)
    test = None
    if source.test is not None and source.test_name is not None:
        if column not in source.test.features:
            raise ValueError(
                f"probe_label: split {source.test_name} has no column called {column!r}, which "
                f"split {source.train_name} has."
            )
        test = read_labels(source.test, column, classes, source.test_name)
    train = read_labels(source.train, column, classes, source.train_name)
    return ProbeLabels(column, classes, train, test)
