import json
import subprocess
import sys

import pytest


@pytest.mark.parametrize("room", ["results", "statistics"])
def test_room_loads_nothing_that_trains(room: str) -> None:
    program = f"import json, sys, maxsup.{room}; print(json.dumps(sorted(sys.modules)))"
    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120
    )
    loaded = {name.partition(".")[0] for name in json.loads(finished.stdout)}
    assert "maxsup" in loaded
    assert loaded.isdisjoint(
        {"torch", "scipy", "accelerate", "datasets", "matplotlib", "jinja2", "IPython"}
    )
