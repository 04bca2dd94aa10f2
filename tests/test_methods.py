import os
import pickle
import re
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import torch

import maxsup
from maxsup import losses, methods
from maxsup.methods import (
    Method,
    Training,
    all_methods,
    build_criterion,
    get_method,
    load_plugin,
    register,
)

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
    """The registry as it is, put back afterwards, and the modules that were loaded into it."""
    monkeypatch.setattr(methods, "_METHODS", dict(methods._METHODS))
    monkeypatch.setattr(methods, "_failures", methods._failures)
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("maxsup_plugin_"):
            del sys.modules[name]


def halved_maxsup() -> Method:
    return Method(
        name="halved-maxsup",
        label="Halved MaxSup",
        summary="MaxSup with half its weight",
        build=lambda training: maxsup.MaxSupLoss(0.05),
    )


def test_methods_have_names_and_build_their_criterion():
    names = [method.name for method in all_methods()]
    assert names[0] == "baseline"
    assert len(set(names)) == len(names)
    assert set(CLASSES) == set(names)
    for name, its_class in CLASSES.items():
        assert type(build_criterion(name, TRAINING)) is its_class


@pytest.mark.parametrize("name", ["label-smoothing", "maxsup"])
def test_methods_alpha_rises_once_an_epoch_as_in_the_paper(name):
    criterion = build_criterion(name, TRAINING)
    for count in range(TRAINING.steps + 1):
        epoch = count // 50
        assert criterion.coefficients() == {"alpha": pytest.approx(0.1 + 0.1 * epoch / 20)}
        criterion.step()


@pytest.mark.parametrize("name", CONSTANT)
def test_methods_constant_defaults(name):
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
def test_method_settings_in_words(name, words):
    assert get_method(name).settings() == words


@pytest.mark.parametrize("method", all_methods(), ids=lambda method: method.name)
def test_method_builds_its_criterion_anew_each_time(method):
    first, second = method.criterion(TRAINING), method.criterion(TRAINING)
    first.step()
    assert int(second.count) == 0


@pytest.mark.parametrize("method", all_methods(), ids=lambda method: method.name)
def test_method_s_criterion_trains_on_labels_and_on_mixtures(method):
    criterion = method.criterion(TRAINING)
    logits = torch.randn(4, 10, generator=torch.Generator().manual_seed(0), requires_grad=True)
    labels = torch.tensor([1, 0, 9, 3])
    mixed = 0.7 * torch.eye(10)[labels] + 0.3 * torch.eye(10)[labels.flip(0)]
    for target in (labels, mixed):
        (gradient,) = torch.autograd.grad(criterion(logits, target), logits)
        assert bool(gradient.isfinite().all())
        assert int(gradient.count_nonzero()) > 0


@pytest.mark.parametrize("method", all_methods(), ids=lambda method: method.name)
def test_method_can_be_shown(method):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", method.name)
    assert method.label
    for line in (method.label, method.summary):
        assert line == line.strip()
        assert "\n" not in line


@pytest.mark.parametrize("method", all_methods(), ids=lambda method: method.name)
def test_method_s_page_has_a_heading_and_its_reference(method):
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
def test_get_method_tells_an_unknown_name_the_close_one_and_all(typed, meant):
    for call in (get_method, lambda name: build_criterion(name, TRAINING)):
        with pytest.raises(ValueError, match=f"{typed!r}.*Did you mean {meant!r}") as caught:
            call(typed)
        assert all(name in str(caught.value) for name in CLASSES)


def test_get_method_of_a_name_that_is_close_to_none():
    with pytest.raises(ValueError, match="'xyzzy'") as caught:
        get_method("xyzzy")
    assert "Did you mean" not in str(caught.value)
    assert "baseline" in str(caught.value)


@pytest.mark.usefixtures("registry")
def test_register_makes_a_method_one_of_all():
    method = halved_maxsup()
    assert register(method) is method
    assert get_method("halved-maxsup") is method
    assert all_methods()[-1] is method
    assert build_criterion("halved-maxsup", TRAINING).coefficients() == {"alpha": 0.05}
    assert method.page() == method.summary
    with pytest.raises(ValueError, match=r"halved-maxsup.*There are: .*halved-maxsup"):
        get_method("halved-maxsupp")


@pytest.mark.usefixtures("registry")
def test_register_gives_a_name_once():
    register(halved_maxsup())
    before = all_methods()
    with pytest.raises(ValueError, match="'halved-maxsup'"):
        register(halved_maxsup())
    with pytest.raises(ValueError, match="'maxsup'"):
        register(Method("maxsup", "Mine", "another", build=halved_maxsup().build))
    assert all_methods() == before


ROOT = Path(__file__).parents[1]
OWN_METHOD = ROOT / "docs" / "examples" / "own_method.py"
PLUGIN = """
from maxsup.losses import MaxSupLoss
from maxsup.methods import Method

METHODS = [
    Method("quarter", "Quarter", "a quarter", build=lambda training: MaxSupLoss(0.25)),
    Method("third", "Third", "a third", build=lambda training: MaxSupLoss(1 / 3)),
]
"""


def write(path: Path, text: str = PLUGIN) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.usefixtures("registry")
def test_plugin_of_the_documentation_trains():
    (method,) = load_plugin(OWN_METHOD)
    assert get_method("squared-maxsup") is method
    criterion = build_criterion("squared-maxsup", TRAINING)
    assert criterion.coefficients() == {"beta": 0.01}
    model = torch.nn.Linear(4, 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    inputs = torch.randn(8, 4, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(8)
    logits = model(inputs)
    value = criterion(logits, labels)
    plain = torch.nn.functional.cross_entropy(logits, labels)
    gap = logits.amax(1) - logits.mean(1)
    torch.testing.assert_close(value, plain + 0.01 * gap.square().mean())
    value.backward()
    optimizer.step()
    criterion.step()
    assert criterion(model(inputs), labels).item() < value.item()


def test_plugin_of_the_documentation_is_what_the_text_shows():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert f"```python\n{OWN_METHOD.read_text(encoding='utf-8')}```\n" in text


@pytest.mark.usefixtures("registry")
def test_plugin_is_loaded_once_however_it_is_named(tmp_path, monkeypatch):
    file = write(tmp_path / "own file.py")
    loaded = load_plugin(file)
    assert [method.name for method in loaded] == ["quarter", "third"]
    before = all_methods()
    monkeypatch.chdir(tmp_path)
    for again in (str(file), "own file.py", "./own file.py", Path("own file.py")):
        assert load_plugin(again) == loaded
    assert all_methods() == before


@pytest.mark.usefixtures("registry")
def test_plugin_may_be_a_module(tmp_path, monkeypatch):
    write(tmp_path / "maxsup_test_own_module.py")
    monkeypatch.syspath_prepend(tmp_path)
    assert [m.name for m in load_plugin("maxsup_test_own_module")] == ["quarter", "third"]
    assert "maxsup_test_own_module" in sys.modules
    del sys.modules["maxsup_test_own_module"]


@pytest.mark.usefixtures("registry")
def test_plugin_is_one_module_in_every_process(tmp_path):
    write(tmp_path / "own.py", "class Kept:\n    pass\nMETHODS = ()\n")
    load_plugin(tmp_path / "own.py")
    (module,) = (m for name, m in sys.modules.items() if name.startswith("maxsup_plugin_own_"))
    (tmp_path / "kept").write_bytes(pickle.dumps(module.Kept()))
    code = (
        "import pickle, maxsup\n"
        "maxsup.methods.load_plugin('own.py')\n"
        "print(type(pickle.load(open('kept', 'rb'))).__module__)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stdout.strip() == module.__name__


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "neither METHOD.*nor METHODS"),
        ("METHOD = 3", "METHOD of .*own.py must be .*Method or several; got int"),
        ("METHODS = ['maxsup']", "METHODS of .*own.py must be .*; got str"),
        (PLUGIN.replace("third", "maxsup"), "'maxsup' is there already; .*own.py defines another"),
        (PLUGIN.replace("third", "quarter"), "'quarter' is there already; .*own.py"),
    ],
)
@pytest.mark.usefixtures("registry")
def test_plugin_that_is_none_is_refused_and_registers_nothing(tmp_path, text, message):
    before = all_methods()
    with pytest.raises(ValueError, match=message):
        load_plugin(write(tmp_path / "own.py", text))
    assert all_methods() == before


@pytest.mark.usefixtures("registry")
def test_plugin_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"no file .*gone\.py"):
        load_plugin(tmp_path / "gone.py")
    with pytest.raises(ValueError, match="no file"):
        load_plugin(str(tmp_path))
    with pytest.raises(ValueError, match="no Python file"):
        load_plugin(write(tmp_path / "own.txt"))
    for name in ("maxsup_is_gone", "maxsup.is_gone.too"):
        with pytest.raises(ValueError, match=f"No module is called '{name}'"):
            load_plugin(name)


@pytest.mark.usefixtures("registry")
def test_plugin_that_fails_says_so_itself_and_may_be_mended(tmp_path, monkeypatch):
    file = write(tmp_path / "own.py", "import maxsup_is_gone\n")
    with pytest.raises(ModuleNotFoundError, match="maxsup_is_gone"):
        load_plugin(file)
    write(file)
    assert len(load_plugin(file)) == 2
    write(tmp_path / "maxsup_test_broken.py", "import maxsup_is_gone\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="maxsup_is_gone"):
        load_plugin("maxsup_test_broken")


@pytest.fixture
def install(registry, tmp_path, monkeypatch):
    """Entry points as if a package had been installed with them."""
    write(tmp_path / "maxsup_test_installed.py")
    write(tmp_path / "maxsup_test_failing.py", "raise RuntimeError('no licence')\n")
    monkeypatch.syspath_prepend(tmp_path)

    def install(**values):
        entries = [EntryPoint(n, v, "maxsup.methods") for n, v in values.items()]
        monkeypatch.setattr(methods, "entry_points", lambda group: entries)
        monkeypatch.setattr(methods, "_failures", None)

    yield install
    sys.modules.pop("maxsup_test_installed", None)


def test_installed_methods_are_there_from_the_first_look(install):
    install(several="maxsup_test_installed:METHODS")
    assert get_method("third").label == "Third"
    assert [method.name for method in all_methods()][-2:] == ["quarter", "third"]
    assert load_plugin("maxsup_test_installed") == all_methods()[-2:]


def test_installed_method_that_is_broken_is_named_and_breaks_no_other(install):
    install(
        first="maxsup_test_failing:METHOD",
        second="maxsup_test_installed:METHODS",
        third="maxsup_test_installed:PLUGIN",
    )
    with pytest.warns(UserWarning, match="could not be loaded") as caught:
        names = [method.name for method in all_methods()]
    assert names[-2:] == ["quarter", "third"]
    assert len(caught) == 1
    message = str(caught[0].message)
    assert "entry point 'first' (maxsup_test_failing:METHOD)" in message
    assert "RuntimeError: no licence" in message
    assert "entry point 'third'" in message
    # Once warned of, it is told where somebody misses a method.
    with pytest.raises(ValueError, match=r"'first'.*no licence.*'third'"):
        get_method("missed")
    assert get_method("quarter").label == "Quarter"


def test_installed_method_whose_name_is_taken_is_broken(install):
    install(one="maxsup_test_installed:METHODS")
    register(Method("third", "Mine", "mine", build=halved_maxsup().build))
    with pytest.warns(UserWarning, match="'third' is there already"):
        assert get_method("third").label == "Mine"
    assert all(method.name != "quarter" for method in all_methods())
