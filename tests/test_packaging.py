"""What is published: the files in it, and that it works where it is installed alone."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
import yaml

from maxsup._version import __version__

ROOT = Path(__file__).parents[1]
WORKFLOW = ROOT / ".github" / "workflows" / "publish.yml"


def build(kind: str, source: Path, target: Path) -> Path:
    """A wheel or an sdist, as pip asks for one, by the backend that is installed here."""
    script = f"import hatchling.build as backend; print(backend.build_{kind}({str(target)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=source, capture_output=True, text=True, check=True
    )
    return target / done.stdout.split()[-1]


def files_below(directory: Path) -> set[str]:
    return {
        path.relative_to(directory).as_posix()
        for path in directory.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist, unpacked."""
    place = tmp_path_factory.mktemp("sdist")
    with tarfile.open(build("sdist", ROOT, place)) as archive:
        # Python 3.11.4 and later know the filter, and 3.12 and later warn where none is named.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(place)
    return place / f"maxsup-{__version__}"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts of an environment with the wheel, which finds what it needs in this one."""
    place = tmp_path_factory.mktemp("installed")
    venv.create(place, with_pip=True)
    scripts = place / ("Scripts" if os.name == "nt" else "bin")
    pip = [scripts / "python", "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    subprocess.run([*pip, "--no-index", "--no-deps", wheel], check=True)
    (packages,) = [path.parent for path in place.rglob("maxsup") if (path / "py.typed").is_file()]
    # A path of a .pth file is searched, but the .pth files that lie there are not read: that of an
    # editable install does not put this repository in front.
    others = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    (packages / "dependencies.pth").write_text("\n".join(others))
    return scripts


def run(installed: Path, *words: str, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [installed / words[0], *words[1:]],
        cwd=cwd, env=environment, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip


def test_the_wheel_has_every_file_of_the_package_and_no_other(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    there = {f"maxsup/{name}" for name in files_below(ROOT / "src" / "maxsup")}
    assert names == there
    for kind in ("py.typed", "maxsup.md", "page.css", "page.js", "shell.html.j2"):
        assert any(name.endswith(f"/{kind}") for name in names), kind


def test_the_wheel_says_what_it_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (place,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        about = Parser().parsestr(archive.read(place).decode())
    assert about["Version"] == __version__
    always = [each for each in about.get_all("Requires-Dist", []) if "extra ==" not in each]
    assert [re.split(r"\W", each)[0] for each in always] == ["torch"]
    assert about["Description-Content-Type"] == "text/markdown"


def test_it_is_imported_from_where_it_is_installed(installed: Path, tmp_path: Path) -> None:
    script = """
        import maxsup, torch
        value = maxsup.MaxSupLoss()(torch.tensor([[2.0, 0.0, 1.0]]), torch.tensor([1]))
        print(maxsup.__file__, f"{float(value):.4f}")
    """
    lines = "\n".join(line.strip() for line in script.splitlines())
    place, value = run(installed, "python", "-c", lines, cwd=tmp_path).split()
    assert Path(place).is_relative_to(installed.parent)
    assert value == "2.5076"


def test_its_commands_work_with_the_files_that_it_brings(installed: Path, tmp_path: Path) -> None:
    assert run(installed, "maxsup", "--version", cwd=tmp_path) == f"maxsup {__version__}\n"
    assert "z_max" in run(installed, "maxsup", "methods", "maxsup", cwd=tmp_path)


def test_the_sdist_builds_the_same_wheel(sdist: Path, wheel: Path, tmp_path: Path) -> None:
    assert build("wheel", sdist, tmp_path).read_bytes() == wheel.read_bytes()


@pytest.mark.skipif(
    not (ROOT / ".git").exists() or shutil.which("git") is None,
    reason="no clone: there is nothing to compare the sdist with",
)
def test_the_sdist_has_what_the_repository_has(sdist: Path) -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip(f"git does not list this clone: {listed.stderr.strip()}")
    kept = {name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()}
    assert kept - files_below(sdist) == set()


def test_one_version_is_named_everywhere() -> None:
    heading = re.search(r"^## (\d\S*) \((\S+)\)$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert heading is not None
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert heading.groups() == (__version__, citation["date-released"])
    assert str(citation["version"]) == __version__


def test_publishing_may_do_no_more_than_it_must() -> None:
    workflow = yaml.safe_load(WORKFLOW.read_text())
    assert workflow[True] == {"push": {"tags": ["v[0-9]*"]}}  # YAML 1.1 reads "on" as true
    assert workflow["permissions"] == {}
    jobs = workflow["jobs"]
    assert {name: job["permissions"] for name, job in jobs.items()} == {
        "build": {"contents": "read"},
        "publish": {"id-token": "write"},
    }
    assert jobs["publish"]["needs"] == "build"
    steps = [step for job in jobs.values() for step in job["steps"]]
    used = [step["uses"] for step in steps if "uses" in step]
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@(v\d+|release/v\d+)", name) for name in used), used
    # Whoever may publish runs nothing of this repository.
    assert not any("run" in step for step in jobs["publish"]["steps"])


def test_the_tag_must_name_the_version() -> None:
    workflow = yaml.safe_load(WORKFLOW.read_text())
    (check,) = [
        step["run"] for step in workflow["jobs"]["build"]["steps"] if "GITHUB_REF_NAME" in str(step)
    ]
    for tag, code in ((f"v{__version__}", 0), ("v0.0.0", 1)):
        done = subprocess.run(
            ["sh", "-c", check], cwd=ROOT, env={**os.environ, "GITHUB_REF_NAME": tag}
        )
        assert done.returncode == code
