"""Tables measured at the scale smoke, through the command line."""

import json
import re
import shlex
from pathlib import Path

import pytest

from maxsup.commands import main
from maxsup.paper import (
    Request,
    Study,
    get_entry,
    plan,
    read_reproduction,
    reproduce,
    states,
    write_reproduction,
)
from maxsup.report import render_reproduction


@pytest.fixture(scope="module")
def figure2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Figure 2 at the scale smoke: a study and an inspection of it."""
    out = tmp_path_factory.mktemp("reproduced")
    assert main(["reproduce", "figure2", "--scale", "smoke", "--out", str(out)]) == 0
    return out


def test_numbers_are_those_of_the_inspection(figure2: Path) -> None:
    found = read_reproduction(figure2 / "figure2-smoke" / "reproduction.json")
    text = (figure2 / "inspections" / "figure2-digits-smoke" / "inspection.json").read_text()
    models = json.loads(text)["models"]
    for column, measure in zip(
        found["columns"], ("test_logit_all_std", "test_logit_all_range"), strict=True
    ):
        for row in column["rows"]:
            values = [m["values"][measure] for m in models if m["method"] == row["method"]]
            assert row["seeds"] == [0, 1, 2]
            assert row["mean"] == pytest.approx(sum(values) / 3)
    claim = found["columns"][0]["claims"][0]
    assert (claim["method"], claim["against"], claim["sign"]) == ("logit-penalty", "baseline", -1)
    assert claim["within"] is None  # of another network and other data


def test_again_it_goes_on_with_what_there_is(
    figure2: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = read_reproduction(figure2 / "figure2-smoke" / "reproduction.json")
    assert main(["reproduce", "figure2", "--scale", "smoke", "--out", str(figure2)]) == 0
    printed = capsys.readouterr()
    assert "epoch 1/1" not in printed.err
    assert "Figure 2: The density of all logits" in printed.out
    after = read_reproduction(figure2 / "figure2-smoke" / "reproduction.json")
    assert before == after


def test_the_list_says_what_each_needs_and_how_far_it_has_come(
    figure2: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["reproduce", "--out", str(figure2)]) == 0
    out = capsys.readouterr().out
    row = re.sub(r"[│├┼┤─\s]+", " ", out[out.index("figure2") : out.index("figure3")])
    assert "ImageNet-1K" in row
    assert re.search(r" \d+ s [\d.]+ min \d+ days smoke: ", row), row
    assert "on one NVIDIA H200" in out
    assert "(3" in row
    assert "later-corruptions" in out
    (state,) = states(figure2)
    assert sum(state.outcomes.values()) == 4


def test_a_damaged_comparison_is_left_out_of_the_list(figure2: Path, tmp_path: Path) -> None:
    found = read_reproduction(figure2 / "figure2-smoke" / "reproduction.json")
    write_reproduction(found, tmp_path / "figure2-smoke")
    path = tmp_path / "figure2-smoke" / "reproduction.json"
    assert states(tmp_path)
    path.write_text(path.read_text().replace('"figure2"', '"figure3"'))
    with pytest.raises(ValueError, match="damaged"):
        read_reproduction(path)
    assert states(tmp_path) == []


def test_the_page_names_both_numbers_and_links_what_was_trained(figure2: Path) -> None:
    found = read_reproduction(figure2 / "figure2-smoke" / "reproduction.json")
    page = render_reproduction(found)
    assert page == (figure2 / "figure2-smoke" / "report.html").read_text()
    assert "These numbers say nothing of the paper" in page
    for source in ("studies/digits-smoke", "inspections/figure2-digits-smoke"):
        assert f'href="../{source}/report.html"' in page
        assert (figure2 / source / "report.html").exists()
    commands = re.sub(r"<[^>]+>", "", page)
    assert f"maxsup inspect {figure2}/studies/digits-smoke/baseline" in commands


def test_segmentation_goes_from_backbones_to_mean_iou(tmp_path: Path) -> None:
    request = Request(get_entry("table6"), "smoke", seeds=1, out=tmp_path)
    fine_tuning = plan(request)[0].steps[1]
    assert isinstance(fine_tuning, Study)
    found = reproduce(request)
    assert found["command"] == f"maxsup reproduce table6 --scale smoke --seeds 1 --out {tmp_path}"
    (column,) = found["columns"]
    assert [row["method"] for row in column["rows"]] == [
        "baseline", "label-smoothing:alpha=0.1..0.2", "maxsup:alpha=0.1..0.2",
    ]  # fmt: skip
    assert all(0 < row["mean"] < 100 for row in column["rows"] if row["mean"] is not None)
    assert all(row["seeds"] == [0] for row in column["rows"])
    assert {claim["outcome"] for claim in column["claims"]} == {"cannot tell"}
    for command in found["commands"]:
        assert main(shlex.split(command)[1:]) == 0  # accepted where the studies lie
    assert fine_tuning.tried().recipe.weights is not None  # a dry run takes what is there now
    backbones = plan(request)[0].steps[0].directory
    assert (backbones / "maxsup-alpha-0.1-to-0.2" / "seed-0" / "model.safetensors").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["table4", "table5", "--column", "cifar100-resnet18"], "name one table too"),
        (["all", "table4"], "give it alone"),
        (["--data", "digits"], "Name what is meant"),
        (["--seeds", "7"], "no option but --out has an effect"),
        (["table1", "--data", "nowhere"], "data: there is no nowhere"),
        (["table44"], "Did you mean table4"),
        (["table4", "--scale", "paper"], "run one kind at a time"),
    ],
)
def test_bad_input_is_said_and_nothing_is_written(
    words: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["reproduce", *words, "--out", str(tmp_path / "new")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_a_dry_run_prints_the_steps_and_what_they_take(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new"
    assert main(["reproduce", "table8", "--dry-run", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "1. maxsup compare digits --recipe digits" in printed
    assert "for its 25 trainings" in printed
    assert not (out / "studies").exists()
    assert "Not in these times" not in printed  # all of it is trainings


def test_a_dry_run_times_the_fine_tuning_before_there_are_backbones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["reproduce", "table6", "--scale", "smoke", "--dry-run", "--out", str(tmp_path)]
    assert main(words) == 0
    backbones, fine_tuned = capsys.readouterr().out.split("\nscenes-smoke-to-masks:\n")
    assert "for its 9 trainings" in backbones
    assert "its backbones are not there yet" in fine_tuned
    assert "model    small-convnet" in fine_tuned
    assert "3 of 8 images in each of 2 epochs: 6" in fine_tuned
    assert "for its 9 trainings" in fine_tuned
    assert not (tmp_path / "studies").exists()


def test_a_dry_run_says_what_is_not_in_its_times(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["reproduce", "figure2", "--scale", "smoke", "--dry-run", "--out", str(tmp_path)]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "2. maxsup inspect" in out
    assert out.rstrip().endswith("Not in these times: looking at the models (step 2).")
