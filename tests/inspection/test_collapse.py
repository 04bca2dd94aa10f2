"""How collapse and class separation are found of a model, and what is said where they are not."""

import math

import pytest
import torch

from maxsup.data import ResidentSplit
from maxsup.evaluation import Execution, Outputs
from maxsup.inspection import InspectionSettings, Subject
from maxsup.inspection.analyses.collapse import COLLAPSE
from maxsup.inspection.analyses.separation import SEPARATION
from maxsup.measures import class_separation, neural_collapse

CLASSES, DIM = 6, 5


def outputs(samples=90, seed=0, classes=CLASSES, dim=DIM):
    """Classes whose features spread the more, the larger their index."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(samples) % classes
    centres = 3 * torch.randn(classes, dim, generator=torch.Generator().manual_seed(9))
    noise = torch.randn(samples, dim, generator=generator) * (1 + labels.unsqueeze(1)) / 4
    features = centres[labels] + noise
    logits = features @ centres.T - centres.square().sum(dim=1) / 2
    return Outputs(logits, labels, labels, torch.arange(samples), features)


class Looked(Subject):
    """A subject of given outputs, with a last layer and images."""

    def __init__(self, parts, weight=None, images=None):
        cpu = Execution(torch.device("cpu"))
        super().__init__("maxsup", "MaxSup", 0, "run", cpu, "digest", stored=parts.get)
        self._weight, self._images = weight, images

    @property
    def last_layer(self):
        return None if self._weight is None else (self._weight, None)

    def images(self, part):
        return self._images


def test_values_are_those_of_the_measures():
    train, test = outputs(), outputs(60, seed=1)
    weight = torch.randn(CLASSES, DIM, generator=torch.Generator().manual_seed(3))
    found = COLLAPSE.run(Looked({"train": train, "test": test}, weight), InspectionSettings())
    for part, of_part in (("train", train), ("test", test)):
        expected = neural_collapse(of_part.features, of_part.true_labels, CLASSES, weight)
        for name in ("nc1", "cdnv", "vci", "equinorm", "self_duality", "rank_fraction"):
            assert found.values[f"{part}_{name}"] == pytest.approx(float(getattr(expected, name)))
    means = torch.stack([train.features[train.labels == k].mean(dim=0) for k in range(CLASSES)])
    nearest = torch.cdist(test.features, means).argmin(dim=1)
    disagreement = (nearest != test.logits.argmax(dim=1)).double()
    assert found.values["test_nc4"] == pytest.approx(float(disagreement.mean()))
    assert torch.equal(found.contributions["test_nc4"], disagreement)
    assert set(found.values) == {each["name"] for each in COLLAPSE.facts}
    assert found.notes == ()
    assert len(found.details["test"]) == DIM


def test_samples_drawn_anew_give_what_the_measures_give_of_them():
    test = outputs()
    found = COLLAPSE.run(Looked({"test": test}), InspectionSettings())
    index = torch.arange(90) // 2
    drawn = found.resampled(index)
    of_drawn = neural_collapse(test.features[index], test.true_labels[index], CLASSES)
    assert drawn["test_nc1"] == pytest.approx(float(of_drawn.nc1))
    assert found.resampled(torch.arange(90))["test_vci"] == found.values["test_vci"]


def test_what_is_missing_is_said():
    few = outputs(samples=4)
    found = COLLAPSE.run(Looked({"test": few}), InspectionSettings())
    notes = " ".join(found.notes)
    assert "its last layer is not at hand" in notes
    assert "no features of training samples" in notes
    assert "4 test samples with 5 features" in notes
    assert "(VCI) is 0 whatever they are, so it is left out of test samples" in notes
    assert "test_vci" not in found.values
    assert "test_nc1" in found.values
    assert "test_vci" not in found.resampled(torch.arange(4))
    assert "2 of 6 classes have no test samples" in notes


@pytest.mark.parametrize(("samples", "is_there"), [(DIM + 1, False), (DIM + 2, True)])
def test_variability_collapse_is_there_where_it_can_be_other_than_0(samples, is_there):
    of_chance = outputs(samples, classes=2)
    generator = torch.Generator().manual_seed(7)
    of_chance.features.copy_(torch.randn(of_chance.features.shape, generator=generator))
    measured = neural_collapse(of_chance.features, of_chance.true_labels, 2).vci
    assert (float(measured) > 1e-6) is is_there
    found = COLLAPSE.run(Looked({"test": of_chance}), InspectionSettings())
    assert ("test_vci" in found.values) is is_there


def test_a_layer_of_another_width_is_not_compared():
    found = COLLAPSE.run(Looked({"test": outputs()}, torch.ones(CLASSES, 99)), InspectionSettings())
    assert math.isnan(found.values["test_self_duality"])
    assert "layer_rank" not in found.values


def test_training_features_that_are_not_finite_leave_nothing_to_draw():
    train = outputs()
    train.features[0, 0] = math.nan
    found = COLLAPSE.run(Looked({"train": train, "test": outputs()}), InspectionSettings())
    for name in ("train_nc1", "train_nc4", "test_nc4"):  # NC4 is about training means
        assert math.isnan(found.values[name]), name
    assert math.isfinite(found.values["test_nc1"])
    assert found.details["train"] == []
    assert len(found.details["test"]) == DIM


@pytest.mark.parametrize("analysis", [COLLAPSE, SEPARATION])
def test_predictions_without_features_have_neither(analysis):
    given = outputs()
    without = Outputs(given.logits, given.labels, given.true_labels, given.ids)
    assert analysis.run(Looked({"test": without}), InspectionSettings()) is None


def pixels(samples):
    return ResidentSplit(
        torch.arange(samples, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 1, 8, 8).clone(),
        torch.arange(samples) % CLASSES,
        torch.arange(samples) % CLASSES,
    )


def test_the_classes_at_both_ends_and_their_images():
    test = outputs()
    details = SEPARATION.run(
        Looked({"test": test}, images=pixels(90)), InspectionSettings()
    ).details
    within = details["test"]["within"]
    assert sum(within) / CLASSES == pytest.approx(
        float(class_separation(test.features, test.true_labels).within), abs=1e-5
    )
    ranked = sorted(range(CLASSES), key=within.__getitem__)
    shown = details["shown"]
    assert [each["class"] for each in shown["collapsed"]] == ranked[:3]
    assert [each["class"] for each in shown["spread"]] == ranked[:2:-1]
    for each in (*shown["collapsed"], *shown["spread"]):
        nearest, farthest = ([s["cosine"] for s in each[end]] for end in ("nearest", "farthest"))
        assert nearest == sorted(nearest, reverse=True)
        assert farthest == sorted(farthest)
        assert farthest[-1] < nearest[-1]
        assert all(
            s["id"] % CLASSES == each["class"] for s in (*each["nearest"], *each["farthest"])
        )
        assert all(s["picture"].startswith("data:image/png") for s in each["nearest"])


def test_without_images_classes_are_shown_by_their_numbers():
    details = SEPARATION.run(Looked({"test": outputs(7)}), InspectionSettings()).details
    # Only class 0 has two samples: there is none to be the most spread.
    assert [each["class"] for each in details["shown"]["collapsed"]] == [0]
    assert details["shown"]["spread"] == []
    assert len(details["shown"]["collapsed"][0]["nearest"]) == 1
    assert details["shown"]["collapsed"][0]["nearest"][0]["picture"] is None
