"""A CircuitPython node with Wi-Fi on the real VM: what radios do, names, time, MQTT and TLS; and a clock chip."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from certificates import made_certificates
from circuitpython_node import Node
from dibble_tools.simulator.devices.clock_chips import Ds3231Chip, Pcf8563Chip
from dibble_tools.simulator.node import wifi
from mosquitto import Mosquitto
from name_and_time_servers import answering, named, sntp

SETTINGS = 'WIFI_SSID = "farm"\nWIFI_PASSWORD = "tractor1"\n'
MINUTES = 20
LOOPBACK = bytes((127, 0, 0, 1))
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
SINCE_2000 = datetime(2000, 1, 1, tzinfo=UTC)


def node_with(folder: Path, settings: str = SETTINGS, wifi: bool = True, **mqtt: object) -> Node:
    given = {"host": "127.0.0.1", "port": 9, "timeout_ms": 1000, "every": 1, "time_host": "", **mqtt}
    return Node(folder, config={"mqtt": given}, files={"settings.toml": settings}, wifi=wifi)


def waterings(node: Node) -> list[tuple[float, int]]:
    """Watch the valve from now on; return the list that (moment, level) go to."""
    switched: list[tuple[float, int]] = []

    def note(pin: int, level: int) -> None:
        if pin == 16:
            switched.append((node.hardware.now_us / 1e6, level))

    node.hardware.on_output = note
    return switched


def watered_s(switched: list[tuple[float, int]]) -> list[int]:
    return [round(after - at) for (at, level), (after, _) in pairwise(switched) if level]


def raises(status: int) -> Callable[[Node], None]:
    return lambda node: setattr(node.hardware.wifi, "raises", status)


def out_of_reach(node: Node) -> None:
    assert node.hardware.wifi
    node.hardware.wifi.reachable = False


def as_usual(node: Node) -> None:
    pass


@pytest.fixture(scope="module")
def lone(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, list[int]]:
    """Return (decisions, seconds of each watering) of a node that reports nothing."""
    node = Node(tmp_path_factory.mktemp("lone") / "drive")
    switched = waterings(node)
    node.live(60 * MINUTES)
    return len(node.decisions()), watered_s(switched)


@pytest.mark.parametrize(
    ("spoil", "settings", "has_wifi", "said"),
    [
        (as_usual, SETTINGS, False, "expected a board that has it"),
        (raises(wifi.OS_ERROR), SETTINGS, True, "Wi-Fi: expected to join within 20000 ms"),
        (raises(wifi.RUNTIME_ERROR), SETTINGS, True, "RuntimeError('Failed to init wifi',)"),
        (raises(wifi.MEMORY_ERROR), SETTINGS, True, "MemoryError('Failed to allocate wifi memory',)"),
        (out_of_reach, SETTINGS, True, "Wi-Fi: expected to join within 20000 ms"),
        (as_usual, 'WIFI_SSID = ""\n', True, "expected WIFI_SSID and WIFI_PASSWORD that a network can have"),
        (as_usual, 'WIFI_SSID = "farm"\nWIFI_PASSWORD = "short"\n', True, "got: password length must be 8-64"),
        (as_usual, SETTINGS, True, "MQTT 127.0.0.1:9"),
    ],
)
def test_nothing_of_the_radio_ends_a_cycle_or_a_boot(tmp_path, lone, spoil, settings, has_wifi, said):
    node = node_with(tmp_path / "drive", settings, has_wifi)
    spoil(node)
    switched = waterings(node)
    assert node.live(60 * MINUTES) == "stop"
    decisions, watered = lone
    assert len(node.decisions()) == decisions == MINUTES
    assert len(watered) >= 2 and watered_s(switched) == watered
    assert node.events("error") == [] and "Traceback" not in node.vm.text()
    told = node.events("radio")
    assert any(said in text for text in told), told
    assert "tractor1" not in node.vm.text() and "short'" not in node.vm.text()


def test_a_join_that_takes_longer_than_the_watchdog_is_gone_on_with(tmp_path, monkeypatch):
    """A connect() of 7 s, beside a watchdog of 8: another one would begin the join anew, for ever."""
    monkeypatch.setattr(wifi, "JOIN_MS", (10_000, 11_000))
    given = {"host": "127.0.0.1", "port": 9, "timeout_ms": 1000, "every": 3, "time_host": ""}
    kind = frozenset({"wifi_raises"})
    config = {"mqtt": given, "actions": []}
    node = Node(tmp_path / "drive", config=config, files={"settings.toml": SETTINGS}, kind=kind, wifi=True)
    node.live(60 * 8)
    assert node.hardware.wifi.joins == 3
    assert not [text for text in node.events("radio") if text.startswith("Wi-Fi")]
    times = [int(line.split(",")[1]) for line in node.decisions()]
    assert {after - before for before, after in pairwise(times)} == {60}


def test_names_that_nobody_answers_take_their_time_and_no_more(tmp_path, monkeypatch):
    monkeypatch.setenv("DIBBLE_PORTS", "53:0,123:0")
    node = node_with(tmp_path / "drive", host="broker.test", time_host="time.test", every=5)
    node.live(60 * 7)
    times = [int(line.split(",")[1]) for line in node.decisions()]
    assert {after - before for before, after in pairwise(times)} == {60}
    assert "expected the address of time.test from 127.0.0.1, got none: is the name right?" in node.events("clock")
    assert any("expected the address of broker.test" in text for text in node.events("radio"))


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.mark.parametrize("tls", [False, True])
def test_name_time_and_reports_by_real_servers(tmp_path, monkeypatch, certificates, tls):
    """As from deploy: the authority's certificate is PEM here, the only form that CircuitPython reads."""
    certified = f"\ncertfile {certificates}/broker.pem\nkeyfile {certificates}/broker.key" if tls else ""
    (tmp_path / "broker").mkdir()
    with (
        Mosquitto(tmp_path / "broker", "allow_anonymous true" + certified) as broker,
        answering(partial(named, address=LOOPBACK)) as dns,
        answering(lambda data: sntp(NOON)) as time_server,
    ):
        monkeypatch.setenv("DIBBLE_PORTS", f"53:{dns},123:{time_server}")
        mqtt = {"host": "broker.test", "port": broker.port, "time_host": "time.test", "timeout_ms": 4000}
        ca = {"ca.pem": (certificates / "ca.pem").read_text()} if tls else {}
        config = {"mqtt": {**mqtt, "every": 2, "ca": "ca.pem" if tls else ""}}
        node = Node(tmp_path / "drive", config=config, files={"settings.toml": SETTINGS, **ca}, wifi=True)
        node.live(60 * 5)
        log = broker.log.read_text()
    assert node.events("radio") == [] and node.events("error") == [], node.vm.text()
    assert node.events("clock") == ["set by time.test"]
    seconds = int(node.decisions()[-1].split(",")[1])
    assert timedelta() < timedelta(seconds=seconds) - (NOON - SINCE_2000) < timedelta(minutes=6)
    assert log.count("New client connected") >= 2


def test_a_certificate_that_is_none_and_a_broker_of_another_authority_are_told(tmp_path, monkeypatch, certificates):
    settings = f"allow_anonymous true\ncertfile {certificates}/broker.pem\nkeyfile {certificates}/broker.key"
    (tmp_path / "broker").mkdir()
    with Mosquitto(tmp_path / "broker", settings) as broker, answering(partial(named, address=LOOPBACK)) as dns:
        monkeypatch.setenv("DIBBLE_PORTS", f"53:{dns}")
        for name in ("other.pem", "ca.der"):
            mqtt = {"host": "broker.test", "port": broker.port, "every": 1, "time_host": "", "ca": name}

            def add(folder: Path, name: str = name) -> None:
                (folder / name).write_bytes((certificates / name).read_bytes())

            node = Node(
                tmp_path / name, config={"mqtt": mqtt}, files={"settings.toml": SETTINGS}, finish=add, wifi=True
            )
            node.live(60 * 6)
            assert len(node.decisions()) == 6
            told = node.events("radio")
            expected = "TLS" if name == "other.pem" else "mqtt.ca: expected the certificate of an authority in PEM"
            assert (all("Out of sockets" not in text for text in told) and expected in told[0]) or name == "other.pem"
            assert "reports arrive" not in told and told


@pytest.mark.parametrize(("name", "address", "kind"), [("ds3231", 0x68, Ds3231Chip), ("pcf8563", 0x51, Pcf8563Chip)])
def test_a_clock_chip_dates_the_records_of_a_circuitpython_node(tmp_path, name, address, kind):
    node = Node(tmp_path / "drive", config={"clock": {"chip": name}})
    chip = kind(lambda: node.hardware.now_us, 0.0)
    node.hardware.i2c = {**node.hardware.i2c, address: chip}
    chip.set(NOON.replace(tzinfo=None))
    node.live(60 * 5)
    assert node.events("clock") == [f"set by the {name}"]
    times = [int(line.split(",")[1]) for line in node.decisions()]
    assert 0 <= times[0] - (NOON - SINCE_2000).total_seconds() <= 20
    assert {after - before for before, after in pairwise(times)} == {60}
    before_s = node.hardware.clock_s()
    assert abs(before_s - (times[-1] + 60)) <= 61  # the board's own calendar is set, too
