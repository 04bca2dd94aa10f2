import re
from typing import Any

import pytest
import torch

import maxsup
from maxsup.methods import Training, all_methods, get_method
from maxsup.report._next_steps import next_steps
from maxsup.results import Results

TUNE = "--tune 5"


def concluded(results: Results, **changes: Any) -> Results:
    """The same conclusion on every method against the baseline."""
    results["contrasts"] = [
        {**contrast, "apart": None, "skewed": False, **changes}
        for contrast in results["contrasts"]
        if contrast["against"] == results["baseline"]
    ]
    # After three epochs some are still no better than guessing.
    for run in results["runs"]:
        run["values"].update(test_accuracy=0.9, test_nll=0.4)
    return results


def texts(results: Results) -> list[str]:
    return [step.text for step in next_steps(results)]


def test_better_method_comes_with_its_line_of_code(results: Results) -> None:
    steps = next_steps(concluded(results, conclusion="better", mean=0.02, low=0.01, high=0.03))
    assert steps[0].text.startswith("Train with Label smoothing: on this data it is better than")
    assert "MaxSup also came out better" in steps[0].text
    assert steps[0].code.startswith(
        "criterion = maxsup.LabelSmoothingLoss(alpha=maxsup.schedules.linear(0.1, 0.2, steps=steps)"
    )


def test_line_of_code_builds_what_ran(results: Results) -> None:
    training = Training(num_classes=10, steps=1, steps_per_epoch=1)
    concluded(results, conclusion="better", mean=0.02)
    results["contrasts"] = results["contrasts"][-1:]
    del results["methods"][1]
    for name in [
        *(each.name for each in all_methods()[1:]),
        "acls:alpha=0.3,margin=6",
        "focal:gamma=2",
    ]:
        method = get_method(name)
        values = {
            key: [*value] if isinstance(value, tuple) else value
            for key, value in method.values().items()
        }
        results["methods"][-1].update(name=name, label="Mine", coefficients=values)
        results["contrasts"][0].update(method=name)
        (code,) = [step.code for step in next_steps(results) if "Train with Mine" in step.text]
        scope: dict[str, Any] = {"maxsup": maxsup, "steps": 10}
        exec(code, scope)
        expected = method.criterion(training)
        assert type(scope["criterion"]) is type(expected)
        if "linear" not in code:
            assert scope["criterion"].coefficients() == expected.coefficients()
        assert scope["criterion"](torch.eye(10), torch.arange(10)).isfinite()


def test_line_of_code_leaves_the_learning_rate_to_the_training(results: Results) -> None:
    concluded(results, conclusion="better", mean=0.02)
    results["contrasts"] = results["contrasts"][-1:]
    name = "maxsup:alpha=0.1,lr=0.05"
    results["methods"][-1].update(name=name, label="Mine", coefficients={"alpha": 0.1})
    results["contrasts"][0].update(method=name, against="baseline")
    (code,) = [step.code for step in next_steps(results) if "Train with Mine" in step.text]
    assert code == "criterion = maxsup.MaxSupLoss(alpha=0.1)"


def test_method_of_somebody_else_has_no_line_of_code(results: Results) -> None:
    concluded(results, conclusion="better", mean=0.02)
    results["methods"][1]["name"] = results["contrasts"][0]["method"] = "strangers-loss"
    assert next_steps(results)[0].code == ""


def test_undecided_names_the_seeds_and_the_command(results: Results) -> None:
    concluded(results, conclusion="undecided", seeds_to_decide=9)
    results["command"] = "maxsup compare digits --seeds 3 --out runs/a"
    step = next_steps(results)[0]
    assert step.text.startswith("Train up to 9 seeds: were mean and spread to stay as they are")
    assert "about decide Label smoothing against" in step.text
    assert step.code == "maxsup compare digits --seeds 9 --out runs/a"
    results["command"] = "maxsup compare digits"
    assert next_steps(results)[0].code == "maxsup compare digits --seeds 9"
    results["command"] = "compare(StudySettings(...))"
    assert next_steps(results)[0].code == ""
    for needed, words in ((400, "about 400 would be needed"), (None, "more than 1,000 would be")):
        concluded(results, conclusion="undecided", seeds_to_decide=needed)
        assert texts(results)[0].startswith("Expect no answer from a few more seeds")
        assert words in texts(results)[0]


def test_the_same_and_worse_leave_the_baseline(results: Results) -> None:
    concluded(results, conclusion="same", mean=0.001)
    assert texts(results)[0].startswith("Take the simpler one, the baseline: ")
    assert "the same to within 0.5 points" in texts(results)[0]
    concluded(results, conclusion="worse", mean=-0.1)
    assert texts(results)[0] == "Stay with the baseline: everything else came out worse."


def test_what_makes_a_conclusion_less_sure_is_to_be_looked_at(results: Results) -> None:
    concluded(results, conclusion="same", mean=0.001)
    results["contrasts"][0].update(apart=2, skewed=True)
    found = " ".join(texts(results))
    assert "Look at the curves of Label smoothing, seed 2" in found
    assert "lean to one side" in found
    for run in results["runs"]:
        run["history"] = [{"epoch": e, "test_accuracy": 0.1 * e} for e in range(6)]
    results["recipe"]["epochs"] = 6
    assert "say --epochs 12 in a new --out" in " ".join(texts(results))
    results["runs"][0].update(status="failed", cause="no", values={})
    assert texts(results)[0].startswith("Look at why 1 run failed")
    for run in results["runs"][-3:]:
        run["values"].update(test_accuracy=0.1, test_nll=900.0)
    assert texts(results)[1].startswith("Mend the training of MaxSup, which ended no better than")


def test_tuning_is_proposed_where_nothing_was_tuned(results: Results) -> None:
    concluded(results, conclusion="same", mean=0.001)
    assert TUNE in texts(results)[-1]
    tuned: Any = {**results, "tuning": {"trials": []}}
    assert not any(TUNE in text for text in texts({**tuned, "tuning": {"trials": [1]}}))
    assert not any(TUNE in text for text in texts({**results, "command": "maxsup report DIR"}))


def test_one_seed_asks_for_more(results: Results) -> None:
    concluded(results, conclusion="undecided", seeds=[0], seeds_to_decide=None)
    step = next_steps(results)[0]
    assert step.text.startswith("Train more seeds: from three on there is an answer")
    assert re.search(r"--seeds 5$", step.code)


@pytest.mark.parametrize("better", ["higher", "lower"])
def test_the_best_of_several_is_named_first(results: Results, better: str) -> None:
    concluded(results, conclusion="better")
    results["measures"][0]["better"] = better
    results["contrasts"][0]["mean"], results["contrasts"][1]["mean"] = 0.01, 0.02
    first = "MaxSup" if better == "higher" else "Label smoothing"
    assert texts(results)[0].startswith(f"Train with {first}:")


def test_many_undecided_comparisons_are_counted_and_not_all_named(results: Results) -> None:
    concluded(results, conclusion="undecided", seeds_to_decide=9)
    results["contrasts"] = [dict(results["contrasts"][0]) for _ in range(3)]  # type: ignore[misc]
    for contrast, method in zip(results["contrasts"], ("label-smoothing", "maxsup"), strict=False):
        contrast["method"] = method
    results["contrasts"][2]["against"] = "label-smoothing"
    results["contrasts"][2]["method"] = "maxsup"
    assert "decide all 3 comparisons that are open. What" in next_steps(results)[0].text
