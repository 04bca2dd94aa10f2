import dataclasses
import math
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
    Coefficient,
    Method,
    Ramp,
    Training,
    all_methods,
    build_criterion,
    check_distinct,
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
def test_plugin_that_cannot_be_imported_is_refused_and_may_be_mended(tmp_path, monkeypatch):
    file = write(tmp_path / "own.py", "\nimport maxsup_is_gone\n")
    for text, problem in (
        ("\nimport maxsup_is_gone\n", "line 2: ModuleNotFoundError: No module named 'maxsup_is_"),
        ("\n\nMETHOD = (\n", "line 3: SyntaxError: '(' was never closed"),
        ("def f():\n    return 1 / 0\nf()\n", "line 2: ZeroDivisionError: division by zero"),
    ):
        with pytest.raises(ValueError, match=r"own\.py cannot be imported: " + re.escape(problem)):
            load_plugin(write(file, text))
    write(file)
    assert len(load_plugin(file)) == 2
    write(tmp_path / "maxsup_test_broken.py", "import maxsup_is_gone\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match=r"^maxsup_test_broken cannot be imported: line 1: M"):
        load_plugin("maxsup_test_broken")


@pytest.mark.parametrize(
    ("build", "message"),
    [
        ("lambda: None", r"TypeError: <lambda>\(\) takes 0 positional.*by build\(training\)\."),
        ("lambda training: MaxSupLoss(-1)", r"ValueError: alpha must be.*\(own\.py, line 6\)"),
        ("lambda training: training", "its build gives Training, and no Loss"),
    ],
)
@pytest.mark.usefixtures("registry")
def test_plugin_whose_method_cannot_be_built_is_refused(tmp_path, build, message):
    before = all_methods()
    text = PLUGIN.replace("lambda training: MaxSupLoss(0.25)", build)
    with pytest.raises(ValueError, match=r"Method 'quarter' of .*own\.py cannot be.*" + message):
        load_plugin(write(tmp_path / "own.py", text))
    assert all_methods() == before


@pytest.mark.usefixtures("registry")
def test_study_of_a_method_that_cannot_be_built_is_refused():
    register(Method("mine", "Mine", "mine", build=lambda: None))
    with pytest.raises(ValueError, match="Method 'mine' cannot be built: TypeError"):
        check_distinct(["baseline", "mine"])


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


@pytest.mark.parametrize("method", all_methods(), ids=lambda method: method.name)
def test_method_s_coefficients_are_those_of_its_criterion(method):
    numbers = {each.name for each in method.coefficients if not each.choices}
    criterion = method.criterion(TRAINING)
    assert set(criterion.coefficients()) == numbers
    for each in method.coefficients:
        # What the registry takes, and only that, the criterion takes as well.
        for value in (-0.1, 0.0, 0.5, 1.0, 1.1, 1e9, math.inf, math.nan):
            assert takes(each.check_setting, value) == takes(
                lambda v, name=each.name: method.build(TRAINING, **built(method) | {name: v}), value
            ), (each.name, value)


def built(method):
    return {
        name: value.start if isinstance(value, Ramp) else value
        for name, value in method.values().items()
    }


def takes(check, value):
    try:
        check(value)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    ("name", "label", "values", "settings"),
    [
        ("maxsup:alpha=0.05", "MaxSup, α 0.05", {"alpha": 0.05}, "alpha 0.05"),
        (
            "maxsup:alpha=0.0..0.30",
            "MaxSup, α 0 → 0.3",
            {"alpha": Ramp(0.0, 0.3)},
            "alpha 0 → 0.3 (linear)",
        ),
        ("focal:gamma=2", "Focal loss, γ 2", {"gamma": 2.0}, "gamma 2"),
        (
            "acls:neg-lambda=0.5,margin=6",
            "ACLS, margin 6, λ₂ 0.5",
            {"alpha": 0.1, "margin": 6.0, "pos_lambda": 1.0, "neg_lambda": 0.5},
            "alpha 0.1, margin 6, pos_lambda 1, neg_lambda 0.5",
        ),
        (
            "online-label-smoothing:variant=fine-grained",
            "Online label smoothing, variant fine-grained",
            {"variant": "fine-grained"},
            "variant fine-grained",
        ),
    ],
)
def test_name_with_coefficients_is_a_method(name, label, values, settings):
    method = get_method(name)
    assert (method.label, method.values(), method.settings()) == (label, values, settings)
    assert get_method(method.name) == method
    assert type(method.criterion(TRAINING)) is CLASSES[name.partition(":")[0]]
    assert method.page() == get_method(name.partition(":")[0]).page()


def test_method_may_be_set_again():
    method = get_method("acls:margin=6").at({"alpha": 0.2})
    assert (method.name, method.label) == ("acls:alpha=0.2,margin=6", "ACLS, α 0.2, margin 6")
    assert method == get_method("acls:alpha=0.2,margin=6")


def test_ramp_rises_epoch_by_epoch():
    criterion = build_criterion("zipf-label-smoothing:alpha=0.4..0.2", TRAINING)
    for count in range(TRAINING.steps + 1):
        expected = 0.4 - 0.2 * (count // 50) / 20
        assert criterion.coefficients() == {"alpha": pytest.approx(expected)}
        criterion.step()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("maxsup:beta=1", "maxsup has no coefficient 'beta'.*maxsup has: alpha >= 0"),
        ("acls:margn=1", "Did you mean 'margin'.*alpha >= 0.*margin >= 0.*neg_lambda >= 0"),
        ("baseline:alpha=0.1", "baseline declares no coefficients"),
        ("maxsup:alpha=-1", r"maxsup: alpha must be .*>= 0; got -1.*by default 0\.1\.\.0\.2"),
        ("maxsup:alpha=inf", "alpha must be a finite number >= 0; got inf"),
        ("maxsup:alpha=strong", "alpha must be a number >= 0; got 'strong'"),
        ("label-smoothing:alpha=1.5", r"alpha must be .*in \[0, 1\]; got 1\.5"),
        ("label-smoothing:alpha=0.5..1.5", r"alpha must be .*in \[0, 1\]; got 1\.5"),
        ("logit-normalization:temperature=0", "temperature must be .*> 0; got 0"),
        ("online-label-smoothing:variant=cfar", "one of cifar, fine-grained; got cfar"),
        ("online-label-smoothing:variant=1", "one of cifar, fine-grained; got 1"),
        ("maxsub:alpha=1", "'maxsub'. Did you mean 'maxsup'"),
        ("squared-maxsup", "A method of a plug-in needs --plugin FILE"),
        ("maxsup=0.1", "Coefficients are written behind the name"),
        ("alpha=0.1", "Coefficients are written behind the name"),
    ],
)
def test_coefficient_that_is_not_there_or_out_of_range_is_refused(name, message):
    with pytest.raises(ValueError, match=message):
        get_method(name)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("maxsup", "maxsup:alpha=0.1..0.2"), r"the same coefficients \(alpha 0\.1\.\.0\.2\)"),
        (("acls:margin=10", "acls:alpha=0.1"), "are the same method with the same coefficients"),
        (("baseline", "baseline"), "are the same method; name one"),
    ],
)
def test_methods_that_train_the_same_are_refused(names, message):
    with pytest.raises(ValueError, match=message):
        check_distinct(names)
    check_distinct(("maxsup", "maxsup:alpha=0.1", "maxsup:alpha=0.2", "baseline"))


@pytest.mark.usefixtures("registry")
def test_methods_that_would_share_a_directory_are_refused():
    register(Method("Maxsup-alpha-1", "Mine", "mine", build=halved_maxsup().build))
    with pytest.raises(ValueError, match="in one directory, maxsup-alpha-1"):
        check_distinct(("Maxsup-alpha-1", "maxsup:alpha=1"))


@pytest.mark.usefixtures("registry")
def test_plugin_may_declare_coefficients_of_any_range(tmp_path):
    (own,) = load_plugin(OWN_METHOD)
    assert [each.describe() for each in own.coefficients] == ["beta in [0, 1], by default 0.01"]
    assert get_method("squared-maxsup:beta=0.5").criterion(TRAINING).coefficients() == {"beta": 0.5}
    with pytest.raises(ValueError, match=r"beta must be a finite number in \[0, 1\]; got 2"):
        get_method("squared-maxsup:beta=2")
    poly = Method(
        "poly",
        "Poly",
        "any",
        build=lambda training, epsilon: maxsup.Poly1Loss(abs(epsilon)),
        coefficients=(Coefficient("epsilon", -0.5, -1.0, 1.0, open_above=True, scheduled=False),),
    )
    register(poly)
    assert poly.coefficients[0].describe() == (
        "epsilon in [-1, 1), by default -0.5, the same throughout"
    )
    assert get_method("poly:epsilon=-1").label == "Poly, ε -1"
    for value, message in (("1", r"in \[-1, 1\); got 1"), ("-1..0", "follows no schedule")):
        with pytest.raises(ValueError, match=message):
            get_method(f"poly:epsilon={value}")


@pytest.mark.usefixtures("registry")
def test_method_without_declared_coefficients_is_taken_as_it_is(tmp_path):
    load_plugin(write(tmp_path / "own.py"))
    assert get_method("quarter").settings() == "alpha 0.25"
    assert get_method("quarter").values() == {}
    with pytest.raises(ValueError, match="quarter declares no coefficients"):
        get_method("quarter:alpha=1")


@pytest.mark.parametrize("name", ["two words", "a/b", ":", "..", "ends.", "-first", "ä", ""])
def test_method_s_name_must_be_that_of_a_directory(name):
    with pytest.raises(ValueError, match="letters, digits"):
        Method(name, "Label", "summary", build=halved_maxsup().build)


def test_method_whose_default_is_out_of_range_is_refused():
    with pytest.raises(ValueError, match="alpha must be a finite number >= 0; got -1"):
        Method("x", "X", "x", build=print, coefficients=(Coefficient("alpha", -1.0),))
    with pytest.raises(ValueError, match="twice: alpha, alpha"):
        Method("x", "X", "x", build=print, coefficients=(Coefficient("alpha", 1.0),) * 2)


@pytest.mark.usefixtures("registry")
def test_known_here_alone_names_the_method_behind_coefficients():
    mine = register(dataclasses.replace(get_method("maxsup"), name="mine"))
    assert methods.known_here_alone("mine:alpha=0.3") is mine
    assert methods.known_here_alone("maxsup:alpha=0.3") is None
