"""Predictions of a loop of one's own, kept by numpy alone."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from maxsup.data.predictions._find import find_predictions
from maxsup.study import record, save_predictions

LOGITS = np.random.default_rng(0).normal(size=(5, 3))
LABELS = [0, 1, 2, 0, 1]


def test_numpy_alone_is_loaded(tmp_path: Path) -> None:
    program = f"""
import json, sys
import numpy
loaded = {{name.partition(".")[0] for name in sys.modules}}
from maxsup.study import record
record({str(tmp_path)!r}, "mine", 0, numpy.eye(3), [0, 1, 2], history={{"test_nll": [1, 2]}})
print(json.dumps(sorted({{name.partition(".")[0] for name in sys.modules}} - loaded)))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert set(json.loads(done.stdout)) <= {"maxsup", *sys.stdlib_module_names}
    assert (tmp_path / "mine" / "seed-0.npz").exists()


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    ids = np.array(["e.png", "d.png", "c.png", "b.png", "a.png"])
    path = record(
        tmp_path,
        "maxsup:alpha=.10",
        np.int64(3),
        torch.tensor(LOGITS, requires_grad=True).bfloat16(),
        torch.tensor(LABELS),
        ids,
        torch.ones(5, 2, dtype=torch.float16),
        [{"epoch": 2, "test_accuracy": 0.5}, {"epoch": 1, "test_accuracy": 0.25}],
        train_logits=LOGITS[:2].tolist(),
        train_labels=["dog", "cat"],
        validation_logits=LOGITS,
        validation_labels=np.eye(3)[LABELS],
        classes=["cat", "dog", "owl"],
    )
    assert path == tmp_path / "maxsup-alpha-0.1" / "seed-3.npz"
    (source,), passed_over, _ = find_predictions(tmp_path)
    assert (source.method, source.seed, passed_over) == ("maxsup:alpha=0.1", 3, [])
    run = source.load()
    rounded = torch.tensor(LOGITS).bfloat16().float().numpy()
    np.testing.assert_array_equal(run.test.logits, rounded)
    assert run.test.ids is not None
    assert run.test.ids.tolist() == ids.tolist()
    assert run.test.features is not None
    assert run.train is not None
    assert run.train.labels.tolist() == [1, 0]
    assert run.validation is not None
    assert run.validation.labels.tolist() == LABELS
    assert run.history == (
        {"epoch": 1, "test_accuracy": 0.25},
        {"epoch": 2, "test_accuracy": 0.5},
    )
    assert run.classes == ("cat", "dog", "owl")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": [0, 1]}, r"one class for each of the 5 samples, shape \(5,\); got \(2,\)"),
        ({"labels": [1, 2, 3, 1, 2]}, r"lie in \[0, 3\).*1 of 5 do not \(3\). They count from 1"),
        ({"labels": [0, 1, 2, 0.5, 1]}, r"must be whole numbers; 1 of 5 are not \(0.5\)"),
        ({"labels": ["a"] * 5}, "are text .* give class indices"),
        ({"labels": ["a"] * 5, "classes": ["b", "c", "d"]}, "1 classes that have no logits: a"),
        ({"labels": np.array([{}] * 5)}, "an array of numbers or text; got ndarray of dtype obj"),
        ({"labels": np.ones((5, 3))}, "class indices or one-hot rows"),
        ({"logits": np.zeros(5)}, r"shape \(samples, classes\).*got \(5,\). Of two classes, give"),
        ({"logits": np.zeros((0, 3)), "labels": []}, "holds no samples"),
        ({"logits": [[0, 1], [1]]}, "cannot be read as one array .* Join batches"),
        ({"logits": np.full((5, 3), 100 / 3)}, "add up to 100, as per cents do"),
        ({"logits": [*[[0.2, 0.3, 0.5]] * 4, [0, 0, 0]]}, "1 of 5 rows do not add up to 1"),
        ({"logits": None}, "must hold labels and either logits or probabilities"),
        ({"ids": [1, 1, 2, 3, 4]}, r"1 of them come more than once \(1\)"),
        ({"ids": [1, 2]}, "one id for each of the 5 samples"),
        ({"features": np.zeros((4, 2))}, r"a row for each of the 5 samples.*got \(4, 2\)"),
        ({"features": np.zeros((5, 2, 7, 7))}, "Pool or flatten"),
        ({"features": [[np.nan]] * 5}, "5 of 5 rows hold NaN"),
        ({"train_logits": LOGITS}, "must hold train_labels and either train_logits"),
        ({"train_logits": LOGITS[:, :2], "train_labels": [0] * 5}, "have 2 classes, and logits 3"),
        ({"classes": ["x"]}, "1 names of classes, but 3 columns"),
        ({"classes": ["x", "x", "y"]}, "two classes have one name: x"),
        ({"history": {"test_accuracy": [70.0]}}, "a fraction in .* Divide per cents by 100"),
        ({"history": {"a": [1], "b": [1, 2]}}, "a value for each epoch"),
        ({"history": [{"epoch": 1}, {"epoch": 1}]}, "epoch must count 1, 2"),
        ({"method": "a/b"}, "cannot be the name of a directory"),
        ({"method": ".."}, "cannot be the name of a directory"),
        ({"method": "maxsup:alpha"}, "cannot be read; write METHOD:NAME=VALUE"),
        ({"seed": -1}, "seed must be a whole number, 0 or more; got -1"),
        ({"seed": "0"}, "seed must be a whole number"),
    ],
)
def test_what_does_not_fit_is_refused(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = record(tmp_path, "mine", 0, LOGITS, LABELS)
    before = path.read_bytes()
    arguments: dict[str, Any] = {"method": "mine", "seed": 0, "logits": LOGITS, "labels": LABELS}
    with pytest.raises(ValueError, match=message):
        record(tmp_path, **{**arguments, **changes})
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.rglob("*.*")] == ["seed-0.npz"]


def test_script_file_ends_in_npz(tmp_path: Path) -> None:
    save_predictions(tmp_path / "new" / "p.npz", LOGITS, LABELS)
    with pytest.raises(ValueError, match=r"must end in \.npz"):
        save_predictions(tmp_path / "p.pt", LOGITS, LABELS)
