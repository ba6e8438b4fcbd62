"""Two arrays: the small one that sees little looks all the time, the large one only where there is something to see."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dibble import ConfigError
from dibble.sensors import Sensors
from dibble_tools.boards.catalogue import likeness, read_power
from dibble_tools.model.host_model import HostModel
from dibble_tools.node.config import whole
from dibble_tools.simulator.devices.mlx90640 import NORMAL_MA
from dibble_tools.simulator.orchard import visitors
from dibble_tools.simulator.season import Orchard, Season, SimulatedBoard, Simulation
from dibble_tools.simulator.unkindness import kind_names

MODELS = Path(__file__).parents[3] / "models"
DAYS = 0.03
INTERVAL_S = 30


def config(motion: bool) -> dict[str, Any]:
    return {
        "interval_s": INTERVAL_S,
        "watchdog_ms": 0,
        "i2c": {"sda": 4, "scl": 5},
        "sensors": [
            {"driver": "amg8833", "blocks": True},
            {"driver": "mlx90640_raw", "costly": True, "power_pin": 22, "channels": [f"far_{i}" for i in range(8)]},
        ],
        "gate": {"motion": motion},
    }


def live(motion: bool) -> tuple[Simulation, Season]:
    board = SimulatedBoard(read_power("pico_w"), likeness("pico_w", kind_names("all")), heap="160wk")
    simulation = Simulation(
        HostModel.open(MODELS / "who_is_there"), board, Orchard(seed=4), days=DAYS, config=config(motion)
    )
    return simulation, simulation.run()


def test_motion_saves_most_looks_of_the_large_array_and_misses_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """At a quiet gate, where one comes in every fifth of two and a half minutes."""
    monkeypatch.setattr(visitors, "COMES", 0.2)
    spent, seen = [], []
    for motion in (False, True):
        simulation, season = live(motion)
        assert not season.tracebacks, season.console[-2000:]
        rows = [moment.line.readings for moment in season.moments]
        assert len(rows) >= int(DAYS * 86_400 / INTERVAL_S) - 2
        spent.append(simulation.site.camera.charge_uc)
        seen.append([row["far_4"] or 0 for row in rows])  # warm_permille
        warm = [row["warm_permille"] > 0 or row["moved_permille"] > 0 for row in rows]
        if motion:
            looked = [far is not None for far in (row["far_4"] for row in rows)]
            assert all(looked)
            fresh = [i for i in range(1, len(rows)) if rows[i]["far_2"] != rows[i - 1]["far_2"]]
            assert all(warm[i] or warm[i - 1] for i in fresh if i % 36)
    looks = spent[0] / (NORMAL_MA * 1000)
    assert looks == pytest.approx(len(seen[0]) * 1.08, rel=0.15)  # seconds: start, and two halves
    assert spent[1] < 0.4 * spent[0]


def test_motion_without_an_array_is_refused() -> None:
    alone = config(True)
    del alone["sensors"][1]
    with pytest.raises(ConfigError, match=r"config.gate.motion: expected a thermal array, and a sensor that is costly"):
        Sensors(whole(alone), SimpleNamespace(i2c=lambda *wiring: None, output=lambda pin: None, sleep_ms=None))
