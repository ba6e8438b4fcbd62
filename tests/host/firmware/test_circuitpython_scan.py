"""Heater scans through CircuitPython's modules, forced and in parallel, as on MicroPython's port."""

import pytest
from circuitpython_node import Node
from dibble_tools.simulator.devices.bme680 import Bme680

MINUTE = 60


def without_model(folder):
    (folder / "model.dib").unlink()


@pytest.mark.parametrize(("variant", "mode"), [(0, "forced"), (2, "parallel")])
def test_scans_read_the_same_on_both_ports(tmp_path, variant, mode):
    """Each port sleeps between polls in its own way; the steps that arrive, and their ohms, are the same."""
    told = []
    for port in ("circuitpython", "micropython"):
        sensor = {"driver": "bme680", "profile": "short", "scans": 2, "mode": mode}
        node = Node(tmp_path / port, port, config={"sensors": [sensor], "actions": []}, finish=without_model)
        node.hardware.i2c[0x77] = Bme680(lambda node=node: node.hardware.now_us, variant=variant)
        node.live(5 * MINUTE)
        assert node.events("fault") == []
        told.append([line.split("*")[0].split(",")[-6:] for line in node.decisions()])
    assert len(told[0]) == len(told[1]) == 5
    for one, other in zip(*told, strict=True):
        assert one[:3] == other[:3]  # the air
        for ohm, same in zip(one[3:], other[3:], strict=True):
            assert abs(int(ohm) - int(same)) <= int(same) // 200  # a wake of some ms later, in a sensor that warms up
