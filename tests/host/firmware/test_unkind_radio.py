"""Whatever a radio does, the node reads, decides and waters as if it had none: it's an event."""

from itertools import pairwise
from pathlib import Path

import pytest
from dibble_tools.simulator.node import wifi
from dibble_tools.simulator.node.firmware import firmware_folder
from dibble_tools.simulator.orchard.site import VALVE_PIN
from node_helpers import Bench, soil_model

pytestmark = pytest.mark.long

MINUTES = 60
RADIO = {"host": "127.0.0.1", "port": 9, "timeout_ms": 1000, "every": 1, "time_host": ""}  # no look-up takes real time
UNCLOSED = b'WIFI_SSID = "field\nWIFI_PASSWORD = "secret"\n'


@pytest.fixture(scope="module")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return firmware_folder(tmp_path_factory.mktemp("firmware") / "node")


def no_radio(bench: Bench) -> None:
    bench.hardware.wifi = None


def raises(status: int):
    def spoil(bench: Bench) -> None:
        bench.hardware.wifi.raises = status

    return spoil


def out_of_reach(bench: Bench) -> None:
    bench.hardware.wifi.reachable = False


def secrets(bench: Bench) -> None:
    bench.send("secrets.py", UNCLOSED)


def as_usual(bench: Bench) -> None:
    pass


def watered_s(bench: Bench) -> list[int]:
    """Return how long the valve was open, each time."""
    valve = [(at, level) for at, pin, level in bench.switched if pin == VALVE_PIN]
    return [round(after - at) for (at, level), (after, _) in pairwise(valve) if level]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (no_radio, "expected a board that has it"),
        (raises(wifi.OS_ERROR), "OSError(1,)"),
        (raises(wifi.RUNTIME_ERROR), "RuntimeError(1,)"),
        (raises(wifi.MEMORY_ERROR), "MemoryError(1,)"),
        (out_of_reach, "Wi-Fi: expected to join within 20000 ms"),
        (secrets, "secrets.py: expected lines like"),
        (as_usual, "MQTT 127.0.0.1:9"),
    ],
)
def test_nothing_of_the_radio_ends_a_cycle_or_a_boot(firmware, tmp_path, spoil, said):
    lone = Bench(firmware, tmp_path / "lone", soil_model(400))
    bench = Bench(firmware, tmp_path / "radio", soil_model(400), mqtt=RADIO)
    spoil(bench)
    for node in (lone, bench):
        node.probe.moisture = 0.2
        assert node.run(MINUTES) == "stop"
    assert len(bench.rows()) == len(lone.rows()) == MINUTES
    assert len(watered_s(bench)) == len(watered_s(lone)) >= 5
    assert abs(sum(watered_s(bench)) - sum(watered_s(lone))) <= 0.01 * sum(watered_s(lone))
    assert bench.events("error") == [] and "Traceback" not in bench.vm.text()
    told = bench.events("radio")
    assert any(said in text for text in told), told
    assert all(text != after for text, after in pairwise(told)), told


def test_joining_takes_its_time_and_the_report_arrives_at_the_broker(firmware, tmp_path):
    """6 to 11 s on real boards; the port is closed, so the error is the broker's, not the Wi-Fi's."""
    bench = Bench(firmware, tmp_path, soil_model(400), mqtt=RADIO)
    bench.run(10)
    assert bench.hardware.wifi.joins >= 9
    assert not [text for text in bench.events("radio") if text.startswith("Wi-Fi")]


def test_failures_to_join_are_further_and_further_apart(firmware, tmp_path):
    bench = Bench(firmware, tmp_path, soil_model(400), mqtt=RADIO)
    tried = []
    bench.hardware.wifi.reachable = False
    answer = bench.hardware.wifi.answer

    def watched(asked: int, value: int, now_us: int) -> tuple[int, int]:
        if asked == wifi.ACTIVE and value and (not tried or now_us - tried[-1] > 30_000_000):
            tried.append(now_us)
        return answer(asked, value, now_us)

    bench.hardware.wifi.answer = watched
    bench.run(100)
    gaps = [round((after - at) / 60e6) for at, after in pairwise(tried)]
    assert gaps[:5] == [1, 2, 4, 8, 16]
    assert max(gaps) <= 60
