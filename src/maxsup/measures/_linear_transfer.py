"""How well a linear classifier on frozen features does."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from maxsup._seeds import derive_seed
from maxsup.measures._check import check_labels
from maxsup.measures._logistic import LogisticFit, check_features, logistic_path

WIDE_GRID: tuple[float, ...] = tuple(10 ** (step / 4) for step in range(-24, 21))
"""45 l2 values, 1e-6 … 1e5, four a decade (Kornblith et al. 2019; MaxSup paper, Table 3)."""
NARROW_RANGE = (1e-2, 1e2)
"""The l2 range that shows what a narrow one does: its weakest penalty is a strong one."""
_LISTED = 5  # classes in a message


class Chosen(NamedTuple):
    """The l2 that a range leads to, and what comes of it on the test set."""

    l2: float
    edge: str | None
    """``"weakest"`` or ``"strongest"`` where it is the last of its range on that side and none
    further in does as well, so that a better one may lie beyond; else ``None``."""
    validation_accuracy: float
    """Fraction of the validation part that is right with it, fitted on the rest."""
    test_accuracy: float
    """Fraction of the test samples that are right, fitted on both."""
    correct: Tensor
    """(test samples,) bool: which ones are right."""


class LinearTransfer(NamedTuple):
    """What :func:`linear_transfer` finds."""

    l2: Tensor
    """(L,) float64: the grid, ascending."""
    validation_accuracy: Tensor
    """(L,) float64."""
    chosen: Chosen
    """By the whole grid."""
    narrow: Chosen
    """By the part of the grid within the narrow range."""


def linear_transfer(
    train_features: Tensor,
    train_labels: Tensor,
    test_features: Tensor,
    test_labels: Tensor,
    *,
    l2: Sequence[float] = WIDE_GRID,
    narrow: tuple[float, float] = NARROW_RANGE,
    validation: float = 0.1,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> LinearTransfer:
    """Test accuracy of multinomial logistic regression on frozen features (MaxSup paper, Table 3).

    After Kornblith et al. 2019: the l2 penalty is the one of the grid with the highest accuracy on
    a validation part of the training samples, fitted on the others; the test accuracy is that of a
    fit on all training samples with it. Test samples choose nothing. Among penalties whose accuracy
    ties, the strongest is chosen (as DINOv2 does). :func:`logistic_path` says what is minimised.

    A grid that ends too early decides what comes out: methods differ in how large and how spread
    their features are, so one penalty is strong for one and weak for another. Table 3 of the
    paper, on a narrow range, has label smoothing 7 points below MaxSup, and a later version of the
    paper, on this grid, 0.9. Hence what a narrow range of the same grid leads to stands beside.

    Features are taken as they are, as DINOv2 takes them: scaling each to a variance of 1 would
    blow up directions that the model hardly uses, and with it change what is measured. Their
    overall scale does not matter, as the grid is wide.

    Args:
        train_features: Shape (N, D), any floating dtype, on any device with float64.
        train_labels: Class indices, shape (N,). Numbers without samples are no classes.
        test_features: Shape (M, D).
        test_labels: Class indices, shape (M,).
        l2: The grid, at least one value.
        narrow: The ends of the narrow range; the values of the grid within are its grid.
        validation: Fraction of each class that is held out as the validation part, rounded, but
            one sample at least; a class of one sample stays in the training part.
        seed: Which samples are held out is a function of it and of the order of the samples.
        progress: Is called after each fit, with how many are done and how many there are.

    Returns:
        The two choices with their test accuracies, and the validation accuracy of each l2.

    Raises:
        ValueError: A shape, dtype, label or number is not as described, a feature is not finite,
            there are fewer than two classes, a test label is of a class without training samples,
            or no value of the grid lies within the narrow range.

    Example:
        >>> generator = torch.Generator().manual_seed(0)
        >>> labels = torch.arange(60) % 3
        >>> features = torch.eye(3)[labels] + 0.3 * torch.randn(60, 3, generator=generator)
        >>> found = linear_transfer(features[:40], labels[:40], features[40:], labels[40:])
        >>> found.chosen.test_accuracy, found.chosen.edge
        (1.0, None)
    """
    check_features("train_features", train_features)
    check_features("test_features", test_features, columns=train_features.shape[1])
    if not len(test_features):
        raise ValueError("test_features holds no sample.")
    check_labels(train_labels, len(train_features), _above(train_labels))
    check_labels(test_labels, len(test_features), _above(test_labels))
    present, labels = train_labels.long().unique(return_inverse=True)
    wanted = _renumber(test_labels.long(), present)
    grid = sorted({float(each) for each in l2})
    within = [narrow[0] * (1 - 1e-9) <= each <= narrow[1] * (1 + 1e-9) for each in grid]
    if grid and not any(within):
        raise ValueError(
            f"narrow must hold a value of the grid, {grid[0]:g} … {grid[-1]:g}; got {narrow}."
        )

    held = hold_out_by_class(labels, validation, seed)
    features, held_features, held_labels = train_features[~held], train_features[held], labels[held]
    accuracies: dict[float, float] = {}
    best: dict[str, tuple[float, LogisticFit]] = {}
    for done, fit in enumerate(logistic_path(features, labels[~held], grid), start=1):
        accuracy = float((fit.predict(held_features) == held_labels).double().mean())
        accuracies[fit.l2] = accuracy
        names = ("whole", "narrow") if within[-done] else ("whole",)
        for name in names:
            if name not in best or accuracy > best[name][0]:
                best[name] = accuracy, fit
        if progress is not None:
            progress(done, len(grid))
    del features, held_features

    def choose(name: str, values: Mapping[float, float]) -> Chosen:
        accuracy, start = best[name]
        (fit,) = logistic_path(train_features, labels, [start.l2], start=start)
        correct = fit.predict(test_features) == wanted
        return Chosen(
            fit.l2, _edge(fit.l2, values), accuracy, float(correct.double().mean()), correct.cpu()
        )

    chosen = choose("whole", accuracies)
    is_same = best["narrow"][1] is best["whole"][1]
    of_narrow = {
        each: accuracies[each] for each, inside in zip(grid, within, strict=True) if inside
    }
    return LinearTransfer(
        torch.tensor(grid, dtype=torch.float64),
        torch.tensor([accuracies[each] for each in grid], dtype=torch.float64),
        chosen,
        chosen._replace(edge=_edge(chosen.l2, of_narrow))
        if is_same
        else choose("narrow", of_narrow),
    )


def hold_out_by_class(labels: Tensor, fraction: float, seed: int) -> Tensor:
    """Which samples are held out, class by class: (N,) bool.

    Args:
        labels: Class indices, shape (N,).
        fraction: How much of each class, rounded, but one sample at least; a class of one sample is
            left as it is.
        seed: Decides which samples.

    Raises:
        ValueError: The fraction is not in (0, 1), or no class has two samples.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"validation must lie in (0, 1); got {fraction}.")
    generator = torch.Generator().manual_seed(derive_seed(seed, "probe", "validation"))
    order = torch.randperm(len(labels), generator=generator)
    shuffled = labels.cpu()[order]
    held = torch.zeros(len(labels), dtype=torch.bool)
    for index in order[shuffled.argsort(stable=True)].split(shuffled.bincount().tolist()):
        if len(index) > 1:
            held[index[: min(len(index) - 1, max(1, round(fraction * len(index))))]] = True
    if not bool(held.any()):
        raise ValueError(
            "train_labels has one sample of each class, so that none can be held out to choose l2 "
            "by. Give two of each or more."
        )
    return held.to(labels.device)


def _above(labels: Tensor) -> int:
    """The smallest number of classes that labels can be of."""
    is_numbers = isinstance(labels, Tensor) and labels.numel() and not labels.is_complex()
    return max(int(labels.max()), 0) + 1 if is_numbers else 1


def _renumber(labels: Tensor, present: Tensor) -> Tensor:
    """Test labels as indices of the classes that there are training samples of."""
    index = torch.searchsorted(present, labels).clamp(max=len(present) - 1)
    unknown = present[index] != labels
    if bool(unknown.any()):
        absent = labels[unknown].unique().tolist()
        named = ", ".join(map(str, absent[:_LISTED]))
        more = f" and {len(absent) - _LISTED} more" if len(absent) > _LISTED else ""
        raise ValueError(
            f"test_labels holds {int(unknown.sum())} samples of {len(absent)} classes without a "
            f"training sample, which no classifier can know: {named}{more}. Leave them out, or add "
            "training samples."
        )
    return index


def _edge(l2: float, accuracies: Mapping[float, float]) -> str | None:
    """The side of a range on which a value is the last, unless one further in does as well."""
    ends = min(accuracies), max(accuracies)
    equal = [each for each, accuracy in accuracies.items() if accuracy == accuracies[l2]]
    if l2 not in ends or len(accuracies) == 1 or any(each not in ends for each in equal):
        return None
    return "weakest" if l2 == ends[0] else "strongest"
