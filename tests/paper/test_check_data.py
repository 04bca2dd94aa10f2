"""What is read only after days of training is looked at before anything is trained."""

from pathlib import Path

import datasets
import pytest
from PIL import Image

from maxsup.commands import main
from maxsup.paper import Request, _at_hand, check_data, get_entry
from maxsup.results import RESULTS_FILE


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made-up scenes, with boxes in ``objects.bbox``."""
    return _at_hand.scenes(tmp_path_factory.mktemp("scenes"), 40)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images without boxes or masks."""
    return _at_hand.parity_of_digits(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def masks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _at_hand.masks(tmp_path_factory.mktemp("masks"), 40)


@pytest.fixture(autouse=True)
def _nothing_is_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    import maxsup.study

    def compare(*arguments: object, **options: object) -> None:
        raise AssertionError("a training has begun")

    monkeypatch.setattr(maxsup.study, "compare", compare)


def request(name: str, data: Path, *others: Path | str, **options: object) -> Request:
    return Request(
        get_entry(name), "paper", data=str(data), other_data=tuple(map(str, others)), **options
    )  # type: ignore[arg-type]


def refused(capsys: pytest.CaptureFixture[str], out: Path, *words: Path | str) -> str:
    """What the command says of what it refuses, having written nothing."""
    assert main(["reproduce", *map(str, words), "--scale", "paper", "--out", str(out)]) == 2
    assert not any(out.rglob("*.json"))
    assert not (out / "studies").exists()
    return capsys.readouterr().err


def test_what_is_whole_is_let_through(scenes: Path, masks: Path, plain: Path) -> None:
    check_data(request("figure3", scenes, label_column="label"))
    check_data(request("table6", scenes, masks))
    check_data(request("table3", scenes, f"{plain}@digit"))


@pytest.mark.parametrize("words", [[], ["--dry-run"]])
def test_boxes_that_are_not_there_are_missed_before_training(
    words: list[str], plain: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused(capsys, tmp_path / "out", "figure3", "--data", plain, *words)
    assert "Figure 3 and Section 5.4 could be trained for and then not be measured" in said
    assert "'objects.bbox' is no column of them; expected is one of lists of [left, top" in said
    assert "There are image (images), parity" in said


def test_one_wrong_box_among_many_is_named(
    scenes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for part in ("train", "test"):
        table = datasets.Dataset.from_parquet(
            str(scenes / f"{part}.parquet"), cache_dir=str(tmp_path)
        )
        rows = table.to_list()
        rows[3]["objects"]["bbox"][0][2] = 500.0  # pixels wide, of 32
        wrong = datasets.Dataset.from_list(rows, features=table.features)
        (tmp_path / "wrong").mkdir(exist_ok=True)
        wrong.to_parquet(tmp_path / "wrong" / f"{part}.parquet")
    words = ["figure1", "--data", tmp_path / "wrong", "--label-column", "label"]
    said = refused(capsys, tmp_path / "out", *words, "--column", "energy")
    assert "row 3 of split test" in said
    assert "lies outside of its image of 32×32 pixels" in said


def test_of_several_tables_all_are_checked_before_the_first_is_trained(
    plain: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused(capsys, tmp_path / "out", "table5", "figure3", "--data", plain)
    assert "Figure 3" in said


def test_data_to_transfer_to_is_loaded_before_training(
    scenes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other").mkdir()
    Image.new("RGB", (40, 40)).save(tmp_path / "other" / "alone.png")
    words = ["table3", "--data", scenes, "--other-data", tmp_path / "other"]
    said = refused(capsys, tmp_path / "out", *words)
    assert f"transfer_data: {tmp_path / 'other'} cannot be used: " in said


def test_masks_are_read_before_backbones_are_trained(
    scenes: Path, plain: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["table6", "--data", scenes, "--other-data", plain]
    said = refused(capsys, tmp_path / "out", *words)
    assert "Table 6 could be trained for and then not be measured" in said
    assert "mask" in said


def test_what_has_finished_is_not_read_again(plain: Path, tmp_path: Path) -> None:
    asked = request("table6", plain, plain, out=tmp_path)
    study = tmp_path / "studies" / "ade20k-upernet-deit-small"
    with pytest.raises(ValueError, match="Table 6"):
        check_data(asked)
    study.mkdir(parents=True)
    (study / RESULTS_FILE).touch()
    check_data(asked)
