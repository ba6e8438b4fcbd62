"""Names, time and TLS: real servers on this machine, the node's own code on the real VM and on CPython."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import dibble
import pytest
from certificates import made_certificates
from dibble.ports import sockets
from dibble.report.name_lookup import address_in, look_up
from dibble.report.network_time import network_date
from dibble_tools.machines.vms import run_unix
from mosquitto import Mosquitto
from name_and_time_servers import ANSWER, answering, named, sntp


class Port:
    """A node's port whose name server and time server are on this machine, at any port's number."""

    def __init__(self, **ports: int) -> None:
        self.ports = ports
        self.asked: list[tuple[str, int]] = []

    def dns_server(self) -> str:
        return "127.0.0.1"

    def udp(self, address: str, port: int, request: bytes, timeout_ms: int) -> bytes:
        self.asked.append((address, port))
        there = self.ports.get({53: "dns", 123: "time", 5353: "multicast"}[port])
        return sockets.udp("127.0.0.1", there, bytes(request), timeout_ms) if there else b""


def test_names_are_looked_up_and_addresses_cost_nothing() -> None:
    with answering(named) as dns:
        port = Port(dns=dns)
        assert look_up(port, "broker.example.org", 4000) == "10.1.2.3"
        assert look_up(port, "192.168.1.10", 4000) == "192.168.1.10"
        assert port.asked == [("127.0.0.1", 53)]


def test_local_names_are_asked_of_everybody() -> None:
    head = b"\x84\x00\x00\x00\x00\x01\x00\x00\x00\x00"  # no question, one answer
    with answering(lambda data: data[:2] + head + data[12:-4] + ANSWER[2:] + bytes((10, 0, 0, 9))) as dns:
        port = Port(multicast=dns)
        assert look_up(port, "homeassistant.local", 4000) == "10.0.0.9"
        assert port.asked == [("224.0.0.251", 5353)]


def test_a_name_that_nobody_knows_takes_two_tries_and_is_named() -> None:
    port = Port()
    with pytest.raises(OSError, match=r"expected the address of nowhere\.test from 127\.0\.0\.1, got none"):
        look_up(port, "nowhere.test", 4000)
    assert port.asked == [("127.0.0.1", 53)] * 2


def test_an_answer_that_is_cut_short_anywhere_is_none() -> None:
    whole = named(b"\0\0\1\0\0\1\0\0\0\0\0\0\6broker\4test\0\0\1\0\1")
    assert address_in(whole) == "10.1.2.3"
    for size in range(len(whole)):
        assert address_in(whole[:size]) == ""


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 11, 24, 12, 34, 56, tzinfo=UTC),
        datetime(2036, 2, 7, 6, 28, 15, tzinfo=UTC),  # the last second of the first era
        datetime(2036, 2, 7, 6, 28, 16, tzinfo=UTC),
        datetime(2060, 1, 1, tzinfo=UTC),
    ],
)
def test_time_of_the_network(moment: datetime) -> None:
    with answering(lambda data: sntp(moment)) as server:
        day, second = network_date(Port(time=server), "127.0.0.1", 4000)
    since_2000 = moment - datetime(2000, 1, 1, tzinfo=UTC)
    assert (day, second) == (since_2000.days, since_2000.seconds)


@pytest.mark.parametrize(
    "reply", [b"", sntp(datetime(2026, 1, 1, tzinfo=UTC), stratum=0), sntp(datetime(2019, 1, 1, tzinfo=UTC)), bytes(47)]
)
def test_what_is_no_time_is_an_error(reply: bytes) -> None:
    with answering(lambda data: reply) as server, pytest.raises(OSError, match="expected the time from 127"):
        network_date(Port(time=server), "127.0.0.1", 1000)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_certificates(tmp_path_factory.mktemp("certificates"))


GUEST = """\
import time
from dibble.ports import sockets
from dibble.report.mqtt import Client

def opened(authority, name):
    with open(authority, "rb") as file:
        content = file.read()
    def open_stream(host, port, timeout_ms):
        return sockets.open_stream("127.0.0.1", port, timeout_ms, (name, content))
    return open_stream

for authority, name in (
    ("ca.der", "broker.test"), ("other.der", "broker.test"), ("ca.der", "else.test"), ("guest.py", "broker.test")
):
    client = Client(time, opened(authority, name), "broker", %d, "node", timeout_ms=8000)
    connected = client.connect()
    if connected:
        for size in (0, 128, 20000):
            assert client.publish("tls", b"z" * size), client.error
        assert client.ping(), client.error
        client.disconnect()
    print(authority, name, connected, "" if connected else client.error)
"""


def test_unix_vm_talks_tls_to_the_broker_it_trusts_and_to_no_other(tmp_path: Path, certificates: Path) -> None:
    settings = f"allow_anonymous true\ncertfile {certificates}/broker.pem\nkeyfile {certificates}/broker.key"
    (tmp_path / "broker").mkdir()
    with Mosquitto(tmp_path / "broker", settings) as broker:
        shutil.copytree(Path(dibble.__path__[0]), tmp_path / "lib" / "dibble")
        for name in ("ca.der", "other.der"):
            shutil.copy(certificates / name, tmp_path)
        (tmp_path / "guest.py").write_text(GUEST % broker.port)
        said = run_unix(tmp_path, "guest.py").stdout.splitlines()
    assert said[0] == "ca.der broker.test True "
    assert [line.split()[2] for line in said] == ["True", "False", "False", "False"], said
    assert "mqtt.ca: expected the certificate of an authority in DER" in said[3]
