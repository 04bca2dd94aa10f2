import re

import pytest
import torch

import maxsup
from maxsup import losses, methods
from maxsup.methods import Method, Training, all_methods, build_criterion, get_method, register

TRAINING = Training(num_classes=10, steps=1000, steps_per_epoch=50)
CLASSES = {
    "baseline": maxsup.CrossEntropyLoss,
    "label-smoothing": maxsup.LabelSmoothingLoss,
    "maxsup": maxsup.MaxSupLoss,
    "confidence-penalty": maxsup.ConfidencePenaltyLoss,
    "logit-penalty": maxsup.LogitPenaltyLoss,
    "online-label-smoothing": maxsup.OnlineLabelSmoothingLoss,
    "zipf-label-smoothing": maxsup.ZipfLabelSmoothingLoss,
    "logit-normalization": maxsup.LogitNormalizationLoss,
    "margin-label-smoothing": maxsup.MarginLabelSmoothingLoss,
    "focal": maxsup.FocalLoss,
    "dual-focal": maxsup.DualFocalLoss,
    "poly-1": maxsup.Poly1Loss,
    "acls": maxsup.ACLSLoss,
    "ls-regularization": losses.LSRegularizationLoss,
    "ls-error-enhancement": losses.LSErrorEnhancementLoss,
    "ls-error-enhancement-top1": losses.LSErrorEnhancementTop1Loss,
}
CONSTANT = {
    "confidence-penalty": {"beta": 0.1},
    "logit-penalty": {"beta": 6e-4},
    "online-label-smoothing": {},
    "zipf-label-smoothing": {"alpha": 0.1},
    "logit-normalization": {"temperature": 0.04},
    "margin-label-smoothing": {"alpha": 0.1, "margin": 10.0},
    "focal": {"gamma": 3.0},
    "dual-focal": {"gamma": 5.0},
    "poly-1": {"epsilon": 1.0},
    "acls": {"alpha": 0.1, "margin": 10.0, "pos_lambda": 1.0, "neg_lambda": 0.1},
    "ls-regularization": {"alpha": 0.1},
    "ls-error-enhancement": {"alpha": 0.1},
    "ls-error-enhancement-top1": {"alpha": 0.1},
}
AUTHORS = {
    "label-smoothing": "Szegedy",
    "maxsup": "Zhou",
    "confidence-penalty": "Pereyra",
    "logit-penalty": "Kornblith",
    "online-label-smoothing": "Zhang",
    "zipf-label-smoothing": "Liang",
    "logit-normalization": "Wei",
    "margin-label-smoothing": "Liu",
    "focal": "Lin",
    "dual-focal": "Tao",
    "poly-1": "Leng",
    "acls": "Park",
    "ls-regularization": "Zhou",
    "ls-error-enhancement": "Zhou",
    "ls-error-enhancement-top1": "Zhou",
}


@pytest.fixture
def registry(monkeypatch):
    """The registry as it is, put back afterwards."""
    monkeypatch.setattr(methods, "_METHODS", dict(methods._METHODS))


def halved_maxsup() -> Method:
    return Method(
        name="halved-maxsup",
        label="Halved MaxSup",
        summary="MaxSup with half its weight",
        build=lambda training: maxsup.MaxSupLoss(0.05),
    )


def test_the_names_and_what_they_build():
    names = [method.name for method in all_methods()]
    assert names[0] == "baseline"
    assert len(set(names)) == len(names)
    assert set(CLASSES) == set(names)
    for name, its_class in CLASSES.items():
        assert type(build_criterion(name, TRAINING)) is its_class


@pytest.mark.parametrize("name", ["label-smoothing", "maxsup"])
def test_alpha_rises_once_an_epoch_as_in_the_paper(name):
    criterion = build_criterion(name, TRAINING)
    for count in range(TRAINING.steps + 1):
        epoch = count // 50
        assert criterion.coefficients() == {"alpha": pytest.approx(0.1 + 0.1 * epoch / 20)}
        criterion.step()


@pytest.mark.parametrize("name", CONSTANT)
def test_constant_defaults(name):
    criterion = build_criterion(name, TRAINING)
    for _ in range(60):
        assert criterion.coefficients() == CONSTANT[name]
        criterion.step()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("baseline", ""),
        ("label-smoothing", "alpha 0.1 → 0.2 (linear)"),
        ("maxsup", "alpha 0.1 → 0.2 (linear)"),
        ("confidence-penalty", "beta 0.1"),
        ("logit-penalty", "beta 0.0006"),
        ("online-label-smoothing", "variant cifar"),
        ("margin-label-smoothing", "alpha 0.1, margin 10"),
        ("focal", "gamma 3"),
        ("ls-regularization", "alpha 0.1"),
        ("ls-error-enhancement", "alpha 0.1"),
        ("ls-error-enhancement-top1", "alpha 0.1"),
    ],
)
def test_settings_in_words(name, words):
    assert get_method(name).settings() == words


@pytest.mark.parametrize("method", all_methods(), ids=lambda method: method.name)
def test_a_criterion_is_built_anew_each_time(method):
    first, second = method.build(TRAINING), method.build(TRAINING)
    first.step()
    assert int(second.count) == 0


@pytest.mark.parametrize("method", all_methods(), ids=lambda method: method.name)
def test_every_criterion_trains_on_labels_and_on_mixtures(method):
    criterion = method.build(TRAINING)
    logits = torch.randn(4, 10, generator=torch.Generator().manual_seed(0), requires_grad=True)
    labels = torch.tensor([1, 0, 9, 3])
    mixed = 0.7 * torch.eye(10)[labels] + 0.3 * torch.eye(10)[labels.flip(0)]
    for target in (labels, mixed):
        (gradient,) = torch.autograd.grad(criterion(logits, target), logits)
        assert bool(gradient.isfinite().all())
        assert int(gradient.count_nonzero()) > 0


@pytest.mark.parametrize("method", all_methods(), ids=lambda method: method.name)
def test_every_method_can_be_shown(method):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", method.name)
    assert method.label
    for line in (method.label, method.summary):
        assert line == line.strip()
        assert "\n" not in line


@pytest.mark.parametrize("method", all_methods(), ids=lambda method: method.name)
def test_every_page_has_a_heading_and_its_reference(method):
    page = method.page()
    assert page.startswith("# ")
    reference = re.search(r"^\*\*Reference.*", page, re.MULTILINE)
    assert reference is not None
    assert AUTHORS.get(method.name, "") in reference[0]
    assert f"`{method.name}`" in page


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("max-sup", "maxsup"),
        ("label_smoothing", "label-smoothing"),
        ("logit-penatly", "logit-penalty"),
    ],
)
def test_an_unknown_name_is_told_the_close_one_and_all(typed, meant):
    for call in (get_method, lambda name: build_criterion(name, TRAINING)):
        with pytest.raises(ValueError, match=f"{typed!r}.*Did you mean {meant!r}") as caught:
            call(typed)
        assert all(name in str(caught.value) for name in CLASSES)


def test_a_name_that_is_close_to_none():
    with pytest.raises(ValueError, match="'xyzzy'") as caught:
        get_method("xyzzy")
    assert "Did you mean" not in str(caught.value)
    assert "baseline" in str(caught.value)


@pytest.mark.usefixtures("registry")
def test_a_registered_method_is_one_of_all():
    method = halved_maxsup()
    assert register(method) is method
    assert get_method("halved-maxsup") is method
    assert all_methods()[-1] is method
    assert build_criterion("halved-maxsup", TRAINING).coefficients() == {"alpha": 0.05}
    assert method.page() == method.summary
    with pytest.raises(ValueError, match=r"halved-maxsup.*There are: .*halved-maxsup"):
        get_method("halved-maxsupp")


@pytest.mark.usefixtures("registry")
def test_a_name_is_given_once():
    register(halved_maxsup())
    before = all_methods()
    with pytest.raises(ValueError, match="'halved-maxsup'"):
        register(halved_maxsup())
    with pytest.raises(ValueError, match="'maxsup'"):
        register(Method("maxsup", "Mine", "another", build=halved_maxsup().build))
    assert all_methods() == before
