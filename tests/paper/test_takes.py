"""What tables take: the kept figures are whole, and of the recipes as they are."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from maxsup.paper import SEEDS, Experiment, Request, all_entries, get_entry, plan, steps_of, takes
from maxsup.paper._takes import FILE, experiments_of

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "reproduction.py"
KEPT = json.loads(FILE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def script() -> ModuleType:
    if not SCRIPT.exists():
        pytest.skip("the benchmarks are not at hand")
    spec = importlib.util.spec_from_file_location("benchmarks_reproduction", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def experiments() -> dict[str, Experiment]:
    return {each.key: each for entry in all_entries() for each in experiments_of(entry)}


@pytest.mark.parametrize("scale", ["smoke", "small"])
def test_every_step_has_its_seconds_and_there_are_no_others(scale: str) -> None:
    steps = {
        step.directory.name
        for entry in all_entries()
        for step in steps_of(plan(Request(entry, scale)))  # type: ignore[arg-type]
    }
    assert steps == {*KEPT[scale]["steps"]}
    assert all(seconds > 0 for seconds in KEPT[scale]["steps"].values())


def test_every_training_of_the_paper_is_that_of_its_recipe(script: ModuleType) -> None:
    assert {*KEPT["paper"]["trainings"]} == {*experiments()}
    for key, each in experiments().items():
        kept = KEPT["paper"]["trainings"][key]
        recipe = script.recipe_of(each)
        assert kept["model"] == recipe.model, key
        if recipe.iterations is None:
            assert kept["side"] == recipe.image_size, key
            assert kept["images"] == recipe.epochs * script.images_of(each), key
        else:
            assert kept["images"] == recipe.iterations * recipe.batch_size, key


@pytest.mark.parametrize("key", ["cifar10-lt-50-resnet32", "cifar100-mobilenetv2"])
def test_flops_follow_from_the_model(script: ModuleType, key: str) -> None:
    assert script.facts_of(experiments()[key]) == KEPT["paper"]["trainings"][key]


def test_images_of_a_long_tail_are_those_that_are_trained_on(script: ModuleType) -> None:
    # Cui et al. (2019): 12,406 of CIFAR-10 at a ratio of 100.
    assert script.images_of(experiments()["cifar10-lt-100-resnet32"]) == 12_406


def test_a_table_takes_what_its_steps_and_seeds_take() -> None:
    entry = get_entry("figure2")
    steps = KEPT["smoke"]["steps"]
    each = steps["digits-smoke"] + steps["figure2-digits-smoke"]
    assert takes(entry, "smoke") == (12, pytest.approx(12 * each))
    # At full scale the trainings alone, each with all of its seeds.
    found = takes(get_entry("table6"), "paper")
    kept = KEPT["paper"]["trainings"]
    flops = kept["imagenet-deit-small"]["flops"] + kept["ade20k-upernet-deit-small"]["flops"]
    assert found.trainings == 2 * 3 * SEEDS["paper"]
    assert found.seconds == pytest.approx(15 * flops / KEPT["paper"]["flops_per_second"])


def test_the_list_needs_neither_torch_nor_data(tmp_path: Path) -> None:
    script = """
        import sys
        from maxsup.commands import main
        assert main(["reproduce", "--out", sys.argv[1]]) == 0
        print([name for name in ("torch", "datasets", "sklearn", "timm") if name in sys.modules])
    """
    lines = "\n".join(line.strip() for line in script.splitlines())
    done = subprocess.run(
        [sys.executable, "-c", lines, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
