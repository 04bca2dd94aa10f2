"""From a table to what is trained and looked at, without training it."""

import dataclasses
import shlex
from pathlib import Path
from typing import Any

import pytest

from maxsup.paper import (
    Inspection,
    Request,
    Study,
    all_entries,
    get_entry,
    plan,
    steps_of,
)


def request(name: str, **options: Any) -> Request:
    return Request(get_entry(name), out=Path("out"), **options)


def test_tables_share_their_studies() -> None:
    directories = {
        entry.name: {
            step.directory for each in plan(Request(entry, "small")) for step in each.steps
        }
        for entry in all_entries()
    }
    shared = directories["table1"] & directories["table8"] & directories["table4"]
    assert [path.name for path in shared] == ["digits-small"]
    # An inspection is of the rows of its own table.
    assert not {
        p for p in directories["figure2"] & directories["figure4"] if "inspections" in str(p)
    }


def test_columns_of_one_study_become_one_with_the_rows_of_all() -> None:
    steps = steps_of(plan(request("table3", scale="small")))
    assert [type(step) for step in steps] == [Study, Inspection]
    for study in (steps[0], steps[1].study):  # type: ignore[union-attr]
        assert isinstance(study, Study)
        assert {"logit-penalty", "online-label-smoothing"} <= {*study.methods}


def test_at_full_scale_the_columns_have_their_recipes_and_data() -> None:
    found = plan(request("table4", scale="paper", data="cifar", columns=("cifar100-resnet50",)))
    (study,) = found[0].steps
    assert isinstance(study, Study)
    assert study.trained_with().model == "resnet50"
    assert study.trained_with().epochs == 200
    settings = study.settings()
    assert settings.data.name == "cifar"
    assert "maxsup:alpha=0.1..0.2" in settings.methods


def test_the_other_models_of_table_7_are_named() -> None:
    found = plan(request("table7", scale="paper", data="imagenet"))
    models = [each.steps[0].trained_with().model for each in found]  # type: ignore[union-attr]
    assert models == ["resnet18", "resnet50", "resnet101", "mobilenetv2_100"]
    assert len({each.steps[0].directory for each in found}) == len(found)


def test_transfer_looks_at_the_data_in_the_order_of_the_table() -> None:
    names = ("a", "b", "c", "d", "e", "f")
    found = plan(request("later-transfer", scale="paper", data="imagenet", other_data=names))
    inspection = found[0].steps[-1]
    assert isinstance(inspection, Inspection)
    assert inspection.settings["transfer_data"] == names
    assert found[2].measure.name == "test_transfer_{2}_probe"


def test_the_long_tail_keeps_its_ratio_at_every_scale() -> None:
    for scale, data in (("paper", "cifar10"), ("small", None), ("smoke", None)):
        found = plan(request("later-long-tail", scale=scale, data=data, columns=("test-100",)))
        (study,) = found[0].steps
        assert isinstance(study, Study)
        assert study.data.imbalance == 100


class _Seen(ValueError):
    """Stops a command once its settings are known."""


@pytest.mark.parametrize("scale", ["smoke", "small"])
def test_commands_ask_for_the_same_study_by_hand(
    scale: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import maxsup.study
    from maxsup.commands import main

    seen: list[Any] = []

    def compare(settings: Any, *args: Any, **options: Any) -> None:
        seen.append(settings)
        raise _Seen

    monkeypatch.setattr(maxsup.study, "compare", compare)
    asked = set()
    for entry in all_entries():
        for step in steps_of(plan(Request(entry, scale, out=tmp_path))):
            if not isinstance(step, Study) or step.backbones is not None:
                continue  # what follows a study is tried where one is trained
            if step.command() in asked:
                continue
            asked.add(step.command())
            if step.make_data is not None:
                step.make_data()
            assert main(shlex.split(step.command())[1:]) == 2
            assert seen.pop() == step.settings()
    assert len(asked) > 5


@pytest.mark.parametrize(
    ("name", "column"),
    [
        *(("table4", f"cifar100-{model}") for model in ("resnet18", "mobilenetv2")),
        ("table4", "imagenet-resnet50"),
        ("table7", "imagenet-resnet18"),
        ("table5", "imagenet-deit-small"),
        ("later-corruptions", "error"),
        ("later-long-tail", "test-50"),
        ("later-fine-grained", "cub"),
    ],
)
def test_commands_at_full_scale_ask_for_the_same_study(
    name: str, column: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import maxsup.study
    from maxsup.commands import main

    seen: list[Any] = []

    def compare(settings: Any, *args: Any, **options: Any) -> None:
        seen.append(settings)
        raise _Seen

    monkeypatch.setattr(maxsup.study, "compare", compare)
    (found,) = plan(request(name, scale="paper", data="digits", columns=(column,)))
    (study, *_) = found.steps
    assert isinstance(study, Study)
    assert main(shlex.split(study.command())[1:]) == 2
    assert seen.pop() == study.settings()


def test_places_of_one_name_are_told_apart(tmp_path: Path) -> None:
    found = plan(request("table6", data="a/photos", other_data=("b/photos",)))
    assert len({step.directory for step in steps_of(found)}) == 2
    digits = plan(request("table1", data="digits"))[0].steps[0].directory
    assert digits != plan(request("table1"))[0].steps[0].directory
    assert request("table1", data="a/x").directory != request("table1", data="b/x").directory
    with_columns = request("table4", scale="paper", data="x", columns=("cifar100-resnet18",))
    assert with_columns.directory.name.endswith("cifar100-resnet18")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (
            "table4",
            {"columns": ("resnet18",)},
            "no column 'resnet18'; there are: imagenet-resnet18",
        ),
        ("table4", {"scale": "paper"}, "trained on CIFAR-100 and ImageNet-1K, so columns are"),
        ("table1", {"scale": "paper"}, "needs ImageNet-1K: name its place with --data"),
        ("table3", {"scale": "paper", "data": "x"}, "also needs CIFAR-10: name their places"),
        ("table6", {"scale": "paper", "data": "x"}, "also needs ADE20K"),
        (
            "table1",
            {"scale": "paper", "data": "x", "other_data": ("y",)},
            "takes no other data than --data",
        ),
        ("table1", {"scale": "smoke", "data": "x"}, "no effect at the scale smoke"),
        ("table1", {"other_data": ("x",)}, "other_data has no effect on Table 1"),
        ("table3", {"data": "x"}, "with --probe-label"),
        ("table1", {"label_column": "fine"}, "name columns of --data; name it too"),
        ("table1", {"data": "x", "probe_label": "y"}, "probe_label has no effect on Table 1"),
        ("figure3", {"data": "x"}, "takes made-up scenes at this scale"),
        ("table2", {"columns": ("r2-val", "r2-val")}, "named twice: r2-val"),
        ("table1", {"seeds": 0}, "seeds must be at least 1; got 0"),
    ],
)
def test_what_does_not_fit_is_said(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        request(name, **options)


def test_a_request_is_a_plain_value() -> None:
    first = request("table1")
    assert dataclasses.replace(first, seeds=7).seeds == 7
    assert first.seeds is None
