import warnings
from typing import Any, NamedTuple

import torch
from torch import Tensor

from maxsup.measures._calibration import Calibration, CalibrationValues
from maxsup.measures._check import check_at_least, check_labels, check_rows
from maxsup.measures._classification import Classification, ClassificationValues
from maxsup.measures._classwise import ClasswiseCalibration
from maxsup.measures._stored import StoredMetric
from maxsup.measures._stored_calibration import StoredCalibration, StoredCalibrationValues
from maxsup.measures._temperature import fit_temperature

_ROWS = 512


class _StoredLogits(StoredMetric):
    """All logits, labels and ids, of all processes, in float64."""

    def __init__(self, num_classes: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_at_least("num_classes", num_classes, 1)
        self.num_classes = num_classes
        self.add_rows("logits", num_classes, dtype=torch.float64)
        self.add_rows("labels", dtype=torch.int64)
        self.add_rows("ids", dtype=torch.int64)

    def update(self, logits: Tensor, labels: Tensor, ids: Tensor) -> None:
        """Add a batch: logits (N, K) of any floating dtype, class indices and ids (N,)."""
        check_rows("logits", logits, columns=self.num_classes)
        check_labels(labels, len(logits), self.num_classes)
        if tuple(ids.shape) != (len(logits),):
            raise ValueError(
                f"ids must have one number for each sample, shape ({len(logits)},); "
                f"got {tuple(ids.shape)}."
            )
        self.store(logits=logits, labels=labels, ids=ids)

    def in_order(self) -> tuple[Tensor, Tensor]:
        """Logits and labels in the order of the ids, which is the same however they came."""
        order = self.stored("ids").argsort(stable=True)
        return self.stored("logits")[order], self.stored("labels")[order]


class Temperature(_StoredLogits):
    """:func:`fit_temperature` over batches and processes.

    The logits of each sample are kept, in float64.

    Args:
        num_classes: K, at least 1.
        **kwargs: Of :class:`torchmetrics.Metric`, such as ``sync_on_compute``.

    Raises:
        ValueError: ``num_classes`` is no such number; in ``update``, a shape, dtype or label is
            wrong.

    Example:
        >>> metric = Temperature(num_classes=2)
        >>> logits, labels = torch.tensor([[30.0, 0.0]] * 4), torch.tensor([0, 0, 0, 1])
        >>> metric.update(logits, labels, torch.arange(4))
        >>> round(float(metric.compute()), 4)
        27.3072
    """

    higher_is_better = None

    def compute(self) -> Tensor:
        """The temperature of all that was added."""
        return fit_temperature(*self.in_order())


class ScaledValues(NamedTuple):
    """What probabilities are worth after temperature scaling; 0-dimensional float64."""

    temperature: Tensor
    """T; of two that were fitted on halves, their geometric mean."""
    nll: Tensor
    brier: Tensor
    ece: Tensor
    overconfidence: Tensor
    underconfidence: Tensor
    equal_mass: Tensor
    smooth: Tensor
    classwise: Tensor


class TemperatureScaling(_StoredLogits):
    """Likelihood and calibration after one temperature, over batches and processes.

    A temperature that was fitted on other samples, a validation part, is given. Where there are
    none, it is cross-fitted: the samples are divided into two halves, and each half is divided by
    the temperature that :func:`fit_temperature` finds on the other, so that no sample decides on
    its own. The halves are drawn among the samples in the order of their ids, always the same.

    Predictions, and with them the accuracy, do not change. The logits of each sample are kept, in
    float64.

    Args:
        num_classes: K, at least 1.
        temperature: The temperature, more than 0; cross-fitted by default.
        **kwargs: Of :class:`torchmetrics.Metric`, such as ``sync_on_compute``.

    Raises:
        ValueError: An argument is not as described; in ``update``, a shape, dtype or label is
            wrong.

    Example:
        >>> metric = TemperatureScaling(num_classes=2, temperature=2.0)
        >>> metric.update(torch.tensor([[4.0, 0.0]]), torch.tensor([0]), torch.tensor([0]))
        >>> round(float(metric.compute().nll), 4)
        0.1269
    """

    higher_is_better = None

    def __init__(self, num_classes: int, temperature: float | None = None, **kwargs: Any) -> None:
        super().__init__(num_classes, **kwargs)
        if temperature is not None and temperature <= 0:
            raise ValueError(f"temperature must be more than 0; got {temperature!r}.")
        self.temperature = temperature

    def compute(self) -> ScaledValues:
        """The values of all that was added.

        NaN without samples (of one, where it is to be cross-fitted), or with a NaN logit.
        """
        logits, labels = self.in_order()
        temperatures = self._temperatures(logits, labels)
        classification = Classification(sync_on_compute=False)
        calibration = Calibration(sync_on_compute=False)
        stored = StoredCalibration(sync_on_compute=False)
        classwise = ClasswiseCalibration(self.num_classes, sync_on_compute=False)
        metrics = (classification, calibration, stored, classwise)
        parts = zip(*(each.split(_ROWS) for each in (logits, labels, temperatures)), strict=True)
        for metric in metrics:
            metric.to(logits.device)
        for rows, of_rows, by in parts:
            for metric in metrics:
                metric.update(rows / by.unsqueeze(1), of_rows)
        with warnings.catch_warnings():
            # Without samples the values are NaN, which says enough.
            warnings.filterwarnings("ignore", "The ``compute`` method of metric")
            likelihood: ClassificationValues = classification.compute()
            binned: CalibrationValues = calibration.compute()
            kept: StoredCalibrationValues = stored.compute()
            return ScaledValues(
                temperature=temperatures.log().mean().exp(),
                nll=likelihood.nll,
                brier=likelihood.brier,
                ece=binned.ece,
                overconfidence=binned.overconfidence,
                underconfidence=binned.underconfidence,
                equal_mass=kept.equal_mass,
                smooth=kept.smooth,
                classwise=classwise.compute(),
            )

    def _temperatures(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The temperature of each sample."""
        if self.temperature is not None:
            return logits.new_full((len(labels),), self.temperature)
        generator = torch.Generator().manual_seed(0)
        drawn = torch.randperm(len(labels), generator=generator).to(labels.device)
        halves = drawn.tensor_split(2)
        found = logits.new_empty(len(labels))
        for half, other in (halves, halves[::-1]):
            found[half] = fit_temperature(logits[other], labels[other])
        return found
