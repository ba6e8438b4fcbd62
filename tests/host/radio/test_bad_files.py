"""What comes signed and is bad all the same: a model that hangs the node, gates, configurations; the canary stops."""

import pytest
from dibble_tools.node.files import compiled_text
from dibble_tools.radio.parcel import parcel_of
from dibble_tools.simulator.node.firmware import firmware_folder
from node_helpers import number_model
from radio_bench import OLD, RadioBench, states


@pytest.fixture
def hanging(field, tmp_path, monkeypatch) -> RadioBench:
    """A node on which models of one family never come back."""
    monkeypatch.setattr("dibble_tools.simulator.node.vm.HANG_S", 2)
    firmware = firmware_folder(tmp_path / "firmware")
    (firmware / "lib/dibble/additive.mpy").write_bytes(compiled_text("while True:\n    pass\n", "dibble.additive", ""))
    (tmp_path / "bench").mkdir()
    bench = RadioBench(firmware, tmp_path / "bench", field.broker, OLD)
    bench.run(2.5)
    return bench


def test_a_model_that_hangs_never_runs_beyond_its_trial(hanging, collector):
    parcel = parcel_of("model", number_model())
    hanging.offer(parcel)
    lives = hanging.settle(collector, parcel)
    assert lives.count("watchdog") == 3, lives
    assert states(collector)[-1].startswith("rolled back"), states(collector)
    assert hanging.runs() == "dry below 400"
