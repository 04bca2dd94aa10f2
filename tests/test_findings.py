"""The findings' tables are those that their numbers give."""

import importlib.util
import json
import re
import runpy
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

FINDINGS = Path(__file__).parent.parent / "docs" / "findings"


def script_in(folder: Path) -> ModuleType:
    """The script of a copy of the findings."""
    spec = importlib.util.spec_from_file_location("findings_write", folder / "write.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["findings_write"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def findings(tmp_path: Path) -> Path:
    """A copy of them."""
    shutil.copytree(FINDINGS, tmp_path / "findings")
    return tmp_path / "findings"


def test_tables_are_those_of_the_numbers() -> None:
    assert script_in(FINDINGS).main(["--check"]) == 0


def test_what_is_taken_names_no_place_on_the_machine(findings: Path, tmp_path: Path) -> None:
    script = script_in(findings)
    content = script.study_of("camvid-linear")
    del content["sha256"], content["timings"]["sha256"]
    note = "Backbones: maxsup (/home/me/runs/coarse/maxsup; 71 %), hf:owner/name, 3/4 of 7 km/h."
    for of in (content["data"], content["verdict"]):
        of["notes"] = [note]
    content["command"] = "maxsup compare /home/me/camvid --out /home/me/runs/camvid"
    script.write_results(content, tmp_path)
    script.take("other", tmp_path / "results.json")
    taken = script.study_of("other")
    clean = "Backbones: maxsup (path/to/maxsup; 71 %), hf:owner/name, 3/4 of 7 km/h."
    assert taken["data"]["notes"] == taken["verdict"]["notes"] == [clean]
    assert taken["command"] == "maxsup compare path/to/camvid"


def test_a_number_typed_by_hand_is_seen(findings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = findings / "alpha.md"
    page.write_text(
        re.sub(r"\| Baseline \| \d", "| Baseline | 1", page.read_text("utf-8")), "utf-8"
    )
    script = script_in(findings)
    assert script.main(["--check"]) == 1
    assert "alpha.md" in capsys.readouterr().err
    assert script.main([]) == 0
    assert page.read_text("utf-8") == (FINDINGS / "alpha.md").read_text("utf-8")


def test_every_kept_study_stands_in_a_page_and_in_the_summary() -> None:
    pages = "".join(page.read_text("utf-8") for page in FINDINGS.glob("*.md"))
    for name in kept_names():
        assert f"<!-- numbers: {name};" in pages
        assert f"| [{name}](" in (FINDINGS / "README.md").read_text("utf-8")


def test_no_place_of_a_machine_is_kept() -> None:
    script = script_in(FINDINGS)
    for name in kept_names():
        study = script.study_of(name)
        assert study["command"].startswith(("maxsup compare ", "maxsup inspect "))
        text = json.dumps(study, ensure_ascii=False)
        assert not re.search(r"[\s\"'(=](/\w|~)|/(home|root|tmp|work)/|\b[A-Z]:\\", text)


def kept_names() -> list[str]:
    """The studies whose results are kept."""
    names = [kept.name.removesuffix(".json.gz") for kept in (FINDINGS / "results").iterdir()]
    assert names
    return names


def test_example_divides_the_digits_into_known_and_unknown_ones(tmp_path: Path) -> None:
    example = FINDINGS.parent / "examples" / "known_and_unknown_digits.py"
    runpy.run_path(str(example), run_name="example")["write"](tmp_path)
    found = {
        part: {folder.name: len([*folder.iterdir()]) for folder in (tmp_path / part).iterdir()}
        for part in ("known/train", "known/test", "unknown")
    }
    assert {*found["known/train"]} == {*found["known/test"]} == {*"01234567"}
    # scikit-learn's digits have 174 eights and 180 nines, and 1,797 images.
    assert found["unknown"] == {"8": 174, "9": 180}
    assert sum(found["known/train"].values()) + sum(found["known/test"].values()) == 1797 - 354
