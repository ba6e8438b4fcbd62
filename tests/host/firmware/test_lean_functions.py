"""Functions on the way of a prediction keep their locals and stack in 11 words, as the VM has that many at hand.

One with more looks for room on the heap at each call, which costs more than what it does (VM_MAX_STATE_ON_STACK).
"""

import re
import subprocess
from pathlib import Path

import dibble
import pytest
from dibble_tools.machines.vms import unix_command

INFERENCE = Path(dibble.__path__[0]) / "inference"
MOST_WORDS = 11
LEAN = {
    "machine_code": {"predict": 3, "finish": 1, "found": 1, "odd": 1},
    "kernels/features_plan": {"miss": 1},
    "predictor": {"predict": 1, "finish": 1},
    "unrolled": {"predict": 1, "finish": 1},
    "decision": {"settle": 1},
}


@pytest.mark.parametrize("name", LEAN)
def test_a_prediction_asks_for_no_room(name: str, tmp_path: Path) -> None:
    (tmp_path / "alone.py").write_text(
        "\n".join(
            f"# {line}" if line.lstrip().startswith(("from ", "import ")) and not line.startswith(" ") else line
            for line in (INFERENCE / f"{name}.py").read_text().splitlines()
        )
    )
    command = [unix_command(), "-v", "-v", "-X", "compile-only", "alone.py"]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    found = re.findall(r"code block '(\w+)'.*?\(N_STATE (\d+)\)", told.stdout, re.DOTALL)
    for function, times in LEAN[name].items():
        words = [int(number) for told_name, number in found if told_name == function]
        assert len(words) == times, (function, told.stdout[-500:], told.stderr)
        assert max(words) <= MOST_WORDS, (function, words)
