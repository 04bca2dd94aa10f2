import io
from types import SimpleNamespace
from typing import Any

from rich.console import Console

from maxsup.data import Corrupt, CorruptImages
from maxsup.training import ProgressReport
from maxsup.training._corrupt import report_corrupt


def test_images_that_are_left_out_are_said_once_for_all_runs_of_a_study() -> None:
    shown = io.StringIO()
    corrupt = CorruptImages(limit=2)
    data: Any = SimpleNamespace(train=SimpleNamespace(corrupt=corrupt))
    with ProgressReport(Console(file=shown, width=200), 1) as progress:
        corrupt.add([Corrupt("train", 3, "cat/3.jpg", "it is empty")])
        for _ in range(3):
            report_corrupt(data, progress)
        assert shown.getvalue().count("1 image cannot be read and is left out:") == 1
        assert shown.getvalue().count("cat/3.jpg") == 1
        corrupt.add([Corrupt("train", 5, "cat/5.jpg", "it is empty")])
        for _ in range(2):
            report_corrupt(data, progress)
    assert shown.getvalue().count("2 images cannot be read and are left out:") == 1
