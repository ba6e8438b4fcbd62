"""The MQTT client against a real mosquitto, on CPython and on the unix VM."""

import json
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import dibble
import pytest
from dibble.ports.sockets import open_stream
from dibble.report.forward import forward
from dibble.report.home_assistant import messages, topic_of
from dibble.report.mqtt import Client
from dibble_tools.machines.vms import run_unix
from mosquitto import Collector, Mosquitto

TIMEOUT_MS = 400


class Port:
    """A port whose time is what the client has waited: how busy this computer is doesn't count."""

    def __init__(self) -> None:
        self.now_ms = 0

    def ticks_ms(self) -> int:
        return self.now_ms

    def ticks_diff(self, newer: int, older: int) -> int:
        return newer - older

    def sleep_ms(self, ms: int) -> None:
        time.sleep(ms / 1000)
        self.now_ms += ms


@pytest.fixture
def broker(tmp_path):
    with Mosquitto(tmp_path) as process:
        yield process


@pytest.fixture
def collector(broker):
    with Collector(broker, "#") as subscriber:
        yield subscriber


def client_of(broker, client_id="node", port=None, **more):
    return Client(port or Port(), open_stream, "127.0.0.1", broker.port, client_id, timeout_ms=TIMEOUT_MS, **more)


def waited_ms(port, call):
    """Return the ms that a call waited, and its result."""
    before = port.now_ms
    result = call()
    return port.now_ms - before, result


def test_messages_of_all_sizes_arrive_once(broker, collector):
    client = client_of(broker)
    assert client.connect()
    payloads = ["", "x", "x" * 127, "é" * 64, "y" * 20_000, b"\0\xff" * 300_000]
    for payload in payloads:
        assert client.publish("field/one", payload), client.error
    assert client.ping() and client.keep_alive()
    expected = [p.encode() if isinstance(p, str) else p for p in payloads]
    assert [payload for _, payload, _ in collector.wait_for(len(payloads))] == expected


def test_retained_message_waits_for_later_subscribers(broker):
    client = client_of(broker)
    assert client.connect()
    for topic, payload in messages("n", "pico_w", ("ok", "frost"), [("air_temperature_centi_c", "centi_c")], 60):
        assert client.publish(topic, payload, True)
    with Collector(broker, "homeassistant/#") as late:
        seen = late.wait_for(4)
    assert all(retained for _, _, retained in seen)
    assert {json.loads(payload)["name"] for _, payload, _ in seen} == {
        "class",
        "held",
        "battery_mv",
        "air_temperature_centi_c",
    }


def test_will_is_published_when_the_node_falls_silent_and_not_when_it_parts(broker, collector):
    client = client_of(broker, will=(topic_of("n", "status"), "offline"), keep_alive_s=1)
    assert client.connect()
    client.disconnect()
    assert client.connect()
    assert client.publish(topic_of("n", "status"), "online", True)
    # No ping for 1.5 times its keep-alive: the broker gives it up.
    assert [payload for _, payload, _ in collector.wait_for(2)] == [b"online", b"offline"]
    assert not client.ping() and not client.connected


def test_keep_alive_keeps_the_connection(broker, collector):
    port = Port()
    client = client_of(broker, port=port, will=("w", "offline"), keep_alive_s=1)
    assert client.connect()
    for _ in range(25):
        port.sleep_ms(100)
        assert client.keep_alive(), client.error
    assert collector.messages == []


def test_password_is_asked_for_and_never_told(tmp_path):
    tool = shutil.which("mosquitto_passwd")
    assert tool, "expected mosquitto_passwd; install it with: apt-get install mosquitto"
    subprocess.run([tool, "-b", "-c", str(tmp_path / "users"), "grower", "s3cr3t"], check=True, capture_output=True)
    with Mosquitto(tmp_path, f"allow_anonymous false\npassword_file {tmp_path}/users") as broker:
        assert client_of(broker, user="grower", password="s3cr3t").connect()
        for user, password in ((None, None), ("grower", None), ("grower", "wr0ng"), (None, "s3cr3t")):
            client = client_of(broker, user=user, password=password)
            assert not client.connect()
            assert "refused" in client.error
            assert "grower" not in client.error and "wr0ng" not in client.error and "s3cr3t" not in client.error


def test_second_client_of_the_name_closes_the_first(broker):
    first, second = client_of(broker), client_of(broker)
    assert first.connect() and second.connect()
    assert not first.publish("t", "x") and not first.connected
    assert second.publish("t", "x")


def test_stopped_broker_costs_a_timeout_and_no_more(broker):
    port = Port()
    client = client_of(broker, port=port)
    calls = (client.connect, client.ping, lambda: client.publish("t", "x"), lambda: client.publish("t", "x" * 10**7))
    for call in calls:
        assert client.connect()
        broker.send_signal(signal.SIGSTOP)
        assert waited_ms(port, call) == (TIMEOUT_MS, False)
        broker.send_signal(signal.SIGCONT)
        assert not client.connected
        assert waited_ms(port, lambda: client.publish("t", "x")) == (0, False)  # disconnected: nothing is tried


def test_no_broker_is_refused_at_once(broker):
    port = Port()
    client = client_of(broker, port=port)
    broker.end(signal.SIGTERM)
    assert waited_ms(port, client.connect) == (0, False) and "127.0.0.1" in client.error and "refused" in client.error
    broker.start()
    assert client.connect()


def test_host_that_does_not_answer_costs_a_timeout():
    waits = []

    def open_with_waits(address, port, timeout_ms):
        return open_stream(address, port, timeout_ms, waited=waits.append)

    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        # The queue of connections that nobody accepts fills up, and the kernel ignores the next.
        others = [socket.socket() for _ in range(3)]
        for other in others:
            other.setblocking(False)
            other.connect_ex(address)
        client = Client(Port(), open_with_waits, *address, "node", timeout_ms=TIMEOUT_MS)
        assert not client.connect() and waits == [TIMEOUT_MS]
        for other in others:
            other.close()


def test_forward_goes_on_after_what_arrived(broker, collector):
    records = {number: f"record {number}" for number in (3, 4, 7, 8)}  # 5 and 6 gave way to newer ones
    log = SimpleNamespace(
        acknowledged=8,
        read_from=lambda first: ((n, r) for n, r in records.items() if n >= first),
    )
    port = Port()
    client = client_of(broker, port=port)

    def go(sent, limit=99, budget_ms=4 * TIMEOUT_MS):
        return forward(client, log, sent, "log", lambda n, r: None if n == 7 else r, limit, budget_ms, port)

    assert go(8) == 8 and not client.connected  # nothing new: no connection
    assert go(0, limit=1) == 3
    assert go(3) == 8
    assert go(0, budget_ms=TIMEOUT_MS - 1) == 0
    assert [payload for _, payload, _ in collector.wait_for(3)] == [b"record 3", b"record 4", b"record 8"]
    broker.send_signal(signal.SIGSTOP)
    assert waited_ms(port, lambda: go(3)) == (TIMEOUT_MS, 3)
    broker.send_signal(signal.SIGCONT)


GUEST = """\
import time
from dibble.ports.sockets import open_stream
from dibble.report.mqtt import Client

for host in ("127.0.0.1", "127.0.0.1"):
    client = Client(time, open_stream, host, %d, "node", will=("w", "offline"), timeout_ms=2000)
    assert client.connect(), client.error
    for size in (0, 1, 127, 128, 20000):
        assert client.publish("vm", b"z" * size), client.error
    assert client.ping()
    client.disconnect()
client = Client(time, open_stream, "127.0.0.1", 1, "node", timeout_ms=2000)
assert not client.connect()
print(client.error)
"""


def test_unix_vm_talks_to_the_broker(tmp_path, broker, collector):
    shutil.copytree(Path(dibble.__path__[0]), tmp_path / "lib" / "dibble")
    (tmp_path / "guest.py").write_text(GUEST % broker.port)
    assert run_unix(tmp_path, "guest.py").stdout == "MQTT 127.0.0.1:1: expected a TCP connection, refused\n"
    sizes = [len(payload) for topic, payload, _ in collector.wait_for(10) if topic == "vm"]
    assert sizes == [0, 1, 127, 128, 20000] * 2
