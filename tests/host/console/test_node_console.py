"""What a node does for those who sit at its console: a stricter margin, and a whole log when it is stopped."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from dibble.inference.decision import UNSURE
from dibble.node import Node
from dibble.storage.record import encode
from dibble.storage.record_log import RecordLog
from dibble_tools.node.record_log import read_folder
from dibble_tools.simulator.node.firmware import firmware_folder
from node_helpers import VALVE_PIN, Bench, soil_model


def test_decisions_below_the_configurations_margin_are_unsure_and_open_no_valve(tmp_path: Path) -> None:
    firmware = firmware_folder(tmp_path / "node")
    opened, flags = {}, {}
    for margin in (0, 60_000):
        bench = Bench(firmware, tmp_path / str(margin), soil_model(400), margin=margin)
        bench.probe.moisture = 0.3
        bench.run(3)
        rows = bench.rows()
        assert {row.class_name for row in rows} == {"irrigate"} and len(rows) >= 3
        flags[margin] = {row.flags for row in rows}
        opened[margin] = any(level for _, pin, level in bench.switched if pin == VALVE_PIN)
    assert flags == {0: {0}, 60_000: {UNSURE}}
    assert opened == {0: True, 60_000: False}


def test_ctrl_c_writes_what_is_still_in_the_batch(tmp_path: Path) -> None:
    log = RecordLog(str(tmp_path / "log"), bytes(4), 1, batch=6)

    def cycle() -> None:
        if log.sequence == 4:
            raise KeyboardInterrupt
        log.append(encode(9824, log.sequence, 0, 255, 0, 0, 0, 0, [log.sequence]))

    stopped = SimpleNamespace(classifier=None, notes=(), log=log, cycle=cycle, switch_off=lambda: None)
    with pytest.raises(KeyboardInterrupt):
        Node.run(stopped)
    assert [row.sequence for row in read_folder(tmp_path / "log").rows] == [1, 2, 3]
