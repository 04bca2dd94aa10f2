"""What holds for every metric of the measures."""

import pickle
import warnings
from datetime import timedelta

import pytest
import torch
from tests.forked import SECONDS, ForkedProcess
from torch import distributed

from maxsup.measures import (
    BoxLocalization,
    Calibration,
    Classification,
    ClassSeparation,
    ClasswiseCalibration,
    Collapse,
    FeatureMoments,
    LogitCurvature,
    LogitHistogram,
    PixelLocalization,
    SelectiveClassification,
    SoftConfusion,
    StoredCalibration,
    Temperature,
    TemperatureScaling,
    boxes_as_mask,
    class_separation,
    expected_calibration_error,
)

METRICS = {
    "separation": lambda: ClassSeparation(4, 4),
    "moments": lambda: FeatureMoments(4, 4),
    "collapse": lambda: Collapse(4, 4, torch.eye(4)),
    "curvature": lambda: LogitCurvature(4),
    "calibration": Calibration,
    "classification": Classification,
    "confusion": lambda: SoftConfusion(4),
    "histogram": LogitHistogram,
    "classwise": lambda: ClasswiseCalibration(4),
    "selective": SelectiveClassification,
    "stored calibration": StoredCalibration,
    "temperature": lambda: Temperature(4),
    "temperature scaling": lambda: TemperatureScaling(4),
    "boxes": lambda: BoxLocalization((8, 8), 21),
    "pixels": lambda: PixelLocalization((8, 8), 21),
}
ON_THE_CPU = ("boxes", "pixels")
"""What looks at values, one sample after the other."""
BATCHES = torch.arange(31).split([10, 14, 7])
PARTS = torch.arange(31).split([20, 11])


def draw():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(31, 4, generator=generator)
    return logits, torch.randint(4, (31,), generator=generator)


def flat(values):
    if isinstance(values, torch.Tensor):
        values = (values,)
    return torch.cat([value.double().flatten() for value in values])


def arguments(name, part):
    logits, labels = draw()
    if name in ON_THE_CPU:
        # One box an image, as a tensor, so that all arguments are.
        left = labels[part].double()
        boxes = torch.stack([left, left, left + 3, left + 4], dim=1).unsqueeze(1)
        masks = torch.stack([boxes_as_mask(box, (8, 8)) for box in boxes])
        return logits[part].view(-1, 2, 2).exp(), boxes if name == "boxes" else masks
    if name in ("histogram", "curvature"):
        return (logits[part],)
    return (logits[part], labels[part], part)[: 3 if name.startswith("temperature") else 2]


def whole(name):
    metric = METRICS[name]()
    metric.update(*arguments(name, torch.arange(31)))
    return flat(metric.compute())


def states(metric):
    found = [getattr(metric, state) for state in metric._defaults]
    return [each for state in found for each in (state if isinstance(state, list) else [state])]


@pytest.fixture(params=METRICS)
def name(request):
    return request.param


def test_adding_batches_by_update_or_call(name):
    updated, called = METRICS[name](), METRICS[name]()
    for part in BATCHES:
        updated.update(*arguments(name, part))
        called(*arguments(name, part))
    assert torch.allclose(flat(updated.compute()), whole(name), atol=1e-12)
    assert torch.allclose(flat(called.compute()), whole(name), atol=1e-12)


def test_reset_forgets(name):
    metric = METRICS[name]()
    metric.update(*arguments(name, BATCHES[0]))
    metric.reset()
    metric.update(*arguments(name, torch.arange(31)))
    assert torch.equal(flat(metric.compute()), whole(name))


def test_inference_mode_and_after_it(name):
    metric = METRICS[name]()
    with torch.inference_mode():
        for part in BATCHES[:2]:
            metric.update(*arguments(name, part))
        metric.compute()
    metric.update(*arguments(name, BATCHES[2]))
    assert torch.allclose(flat(metric.compute()), whole(name), atol=1e-12)


def test_keeps_no_graph(name):
    metric = METRICS[name]()
    rows, *labels = arguments(name, BATCHES[0])
    metric.update(rows.requires_grad_(), *labels)
    metric(rows, *labels)
    assert not flat(metric.compute()).requires_grad
    assert not any(tensor.requires_grad for tensor in states(metric))


def test_sums_stay_exact_in_a_module_of_lower_precision(name):
    module = torch.nn.ModuleDict({"metric": METRICS[name]()}).half()
    module["metric"].update(*arguments(name, torch.arange(31)))
    assert torch.equal(flat(module["metric"].compute()), whole(name))


def test_pickled_half_way(name):
    metric = METRICS[name]()
    metric.update(*arguments(name, BATCHES[0]))
    metric = pickle.loads(pickle.dumps(metric))
    for part in BATCHES[1:]:
        metric.update(*arguments(name, part))
    assert torch.allclose(flat(metric.compute()), whole(name), atol=1e-12)


def test_update_works_without_values(name):
    """On the meta device there is nothing to look at: an update that waits for values fails."""
    if name in ON_THE_CPU:
        pytest.skip("it looks at values")
    metric = METRICS[name]().to("meta")
    metric.update(*(tensor.to("meta") for tensor in arguments(name, BATCHES[0])))
    assert all(tensor.is_meta for tensor in states(metric))


def test_two_processes_together_equal_one(tmp_path):
    """Unequal parts; the plain functions speak of their own process alone."""
    others = [
        ForkedProcess(
            save_own_part,
            (rank, tmp_path),
            log=tmp_path / f"{rank}.log",
            environment={"GLOO_SOCKET_IFNAME": "lo"},
        )
        for rank in (0, 1)
    ]
    for other in others:
        assert other.wait() == 0, other.output()
    found = [torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1)]
    for rank, part in enumerate(PARTS):
        for name in METRICS:
            assert torch.allclose(found[rank][name], whole(name), atol=1e-12), name
            alone = found[rank][f"{name}, one without samples"]
            assert torch.allclose(alone, whole(name), atol=1e-12), name
        own = [tensor[part] for tensor in draw()]
        assert torch.equal(found[rank]["ece"], expected_calibration_error(*own))
        assert torch.equal(found[rank]["r2"], class_separation(*own).r2)


def save_own_part(rank, directory):
    distributed.init_process_group(
        "gloo",
        init_method=f"file://{directory}/meeting",
        rank=rank,
        world_size=2,
        timeout=timedelta(seconds=SECONDS),
    )
    try:
        found = {}
        for name, make in METRICS.items():
            metric = make()
            metric.update(*arguments(name, PARTS[rank]))
            found[name] = flat(metric.compute())
            metric = make()
            if rank == 0:
                metric.update(*arguments(name, torch.arange(31)))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found[f"{name}, one without samples"] = flat(metric.compute())
        logits, labels = (tensor[PARTS[rank]] for tensor in draw())
        found["ece"] = expected_calibration_error(logits, labels)
        found["r2"] = class_separation(logits, labels).r2
        torch.save(found, directory / f"{rank}.pt")
    finally:
        distributed.destroy_process_group()
