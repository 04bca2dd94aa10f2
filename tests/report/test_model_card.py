"""The model card, read by the Hub's own reader."""

import pytest
import yaml
from huggingface_hub import ModelCard

from maxsup.data import DataSettings, short_name
from maxsup.report import markdown_table, model_card
from maxsup.results import Results

from .conftest import HOSTILE, with_hostile_names, with_one_seed


def test_card_tells_the_hub_of_one_model_and_the_reader_of_the_study(results: Results) -> None:
    text = model_card(results, "maxsup", 1)
    card = ModelCard(text)
    (run,) = [each for each in results["runs"] if (each["method"], each["seed"]) == ("maxsup", 1)]
    found = {each.metric_type: each.metric_value for each in card.data.eval_results}
    assert found["accuracy"] == run["values"]["test_accuracy"]
    assert found["nll_scaled"] == run["values"]["test_nll_scaled"]
    assert "train_accuracy" not in found
    (first, *_) = card.data.eval_results
    assert (first.task_type, first.dataset_type) == ("image-classification", "not-on-the-hub")
    assert first.dataset_name == "digits with 40 % label noise"
    assert card.data.license is None
    assert text.splitlines()[1].startswith("# license: ")
    assert markdown_table(results) in card.text
    assert "\n```\nmaxsup compare digits --label-noise 0.4\n```\n" in card.text
    assert (
        "trained by MaxSup (alpha 0.1 → 0.2 (linear)) on digits with 40 % label noise, seed 1."
        in (card.text)
    )
    assert "a study of 3 methods with 3 seeds" in card.text


@pytest.mark.parametrize(
    ("changes", "of_timm"),
    [
        ({}, False),  # small-convnet
        ({"model": "resnet18"}, True),
        ({"model": "resnet18", "small_stem": True}, False),
        ({"model": "resnet18", "blur_pool": True}, False),
    ],
)
def test_card_says_what_can_load_the_model(
    results: Results, changes: dict[str, object], of_timm: bool
) -> None:
    results["recipe"].update(changes)
    card = ModelCard(model_card(results, "baseline", 0))
    assert card.data.library_name == ("timm" if of_timm else "maxsup")
    assert ('timm.create_model("hf-hub:' in card.text) == of_timm
    assert ("maxsup.models.load_run(" in card.text) != of_timm
    assert card.data.tags == ["image-classification", *(["timm"] if of_timm else []), "maxsup"]


def test_card_names_the_hubs_data_set(results: Results) -> None:
    # As a study of hf:uoft-cs/cifar100 names its data.
    results["data"].update(name=short_name(DataSettings("hf:uoft-cs/cifar100")), label_noise=0.0)
    results["command"] = "maxsup compare hf:uoft-cs/cifar100 --seeds 3"
    card = ModelCard(model_card(results, "maxsup", 0))
    assert card.data.datasets == ["uoft-cs/cifar100"]
    assert card.data.eval_results[0].dataset_type == "uoft-cs/cifar100"
    # A folder of the same name is another data set.
    results["command"] = "maxsup compare /home/me/secret/uoft-cs/cifar100 --weights ~/w.pth"
    results["verdict"]["notes"].append("Teachers: /home/me/secret/maxsup (test accuracy 71.00 %).")
    text = model_card(results, "maxsup", 0)
    card = ModelCard(text)
    assert card.data.datasets is None
    assert card.data.eval_results[0].dataset_type == "not-on-the-hub"
    assert "secret" not in text
    assert "maxsup compare path/to/cifar100 --weights path/to/w.pth\n" in text
    assert "- Teachers: path/to/maxsup (test accuracy 71.00 %).\n" in text


def test_card_survives_names_from_outside(results: Results) -> None:
    text = model_card(with_hostile_names(results), "maxsup", 0)
    front_matter = yaml.safe_load(text.split("\n---\n")[0])
    (entry,) = front_matter["model-index"]
    assert HOSTILE in entry["results"][0]["dataset"]["name"]
    assert "\\<script\\>" in text.split("\n---\n")[1]


def test_card_of_one_seed_says_one(results: Results) -> None:
    assert "of 3 methods with 1 seed, made" in model_card(with_one_seed(results), "maxsup", 0)


def test_there_is_no_card_of_what_is_no_model(results: Results) -> None:
    with pytest.raises(
        ValueError, match=r"no run maxsup/seed-9\. Its methods are .*maxsup.* seeds 0, 1, 2\."
    ):
        model_card(results, "maxsup", 9)
    results["runs"][-1]["status"] = "failed"
    last = results["runs"][-1]
    with pytest.raises(ValueError, match="failed, so there is no model"):
        model_card(results, last["method"], last["seed"])
    results["recipe"]["head"] = "linear"
    with pytest.raises(ValueError, match="segment"):
        model_card(results, "maxsup", 0)
    results["predictions"] = {"made_by": None, "form": "logits"}
    with pytest.raises(ValueError, match="predictions of another program"):
        model_card(results, "maxsup", 0)
