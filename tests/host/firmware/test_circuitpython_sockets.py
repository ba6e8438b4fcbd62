"""CircuitPython's streams and Wi-Fi: real sockets behind stand-ins for socketpool, wifi and supervisor."""

import importlib
import socket
import sys
import time
from types import ModuleType, SimpleNamespace

import pytest


class Pool:
    """socketpool.SocketPool over this computer's sockets; CircuitPython's lack all but these methods."""

    full = False

    def __init__(self, radio):
        assert radio is not None

    def socket(self):
        if self.full:
            raise RuntimeError("Out of sockets")
        sock = socket.socket()
        names = ("settimeout", "connect", "setblocking", "send", "recv_into", "close")
        return SimpleNamespace(**{name: getattr(sock, name) for name in names})


class Radio:
    """A Wi-Fi whose access point answers after some tries."""

    def __init__(self, tries=1, took_ms=500, error=ConnectionError):
        self.enabled = False
        self.connected = False
        self.tries = tries
        self.took_ms = took_ms
        self.error = error
        self.asked = []

    def connect(self, ssid, password=b"", *, channel=0, bssid=None, timeout=None):
        assert self.enabled and timeout > 0
        self.asked.append((ssid, password, timeout))
        Ticks.now += self.took_ms
        self.tries -= 1
        if self.tries:
            raise self.error("Unknown failure 205")
        self.connected = True


class Ticks:
    now = (1 << 29) - 3


@pytest.fixture
def port(monkeypatch):
    """The port's module, with modules of CircuitPython for as long as the test takes."""

    def sleep(seconds):
        Ticks.now += round(1000 * seconds)

    modules = {
        "supervisor": {"ticks_ms": lambda: Ticks.now % (1 << 29)},
        "microcontroller": {"watchdog": None, "nvm": None, "Pin": object},
        "rtc": {},
        "board": {},
        "analogio": {},
        "busio": {},
        "digitalio": {},
        "wifi": {"radio": Radio()},
        "socketpool": {"SocketPool": Pool},
    }
    for name, attributes in modules.items():
        module = ModuleType(name)
        module.__dict__.update(attributes)
        monkeypatch.setitem(sys.modules, name, module)
    for name in ("circuitpython_sockets", "circuitpython_pins", "circuitpython_time", "circuitpython"):
        monkeypatch.delitem(sys.modules, f"dibble.ports.{name}", raising=False)
    found = importlib.import_module("dibble.ports.circuitpython")
    monkeypatch.setattr(found, "time", SimpleNamespace(sleep=sleep))
    monkeypatch.setenv("WIFI_SSID", "farm")
    monkeypatch.setenv("WIFI_PASSWORD", "tractor1")
    yield found
    for name in ("circuitpython_sockets", "circuitpython_pins", "circuitpython_time", "circuitpython"):
        sys.modules.pop(f"dibble.ports.{name}", None)


@pytest.fixture
def server():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def test_stream_never_blocks(port, server):
    stream = port.open_stream("127.0.0.1", server.getsockname()[1], 1000)
    other, _ = server.accept()
    buffer = bytearray(8)
    assert stream.receive_into(buffer, 8) is None
    assert stream.send(memoryview(b"hello")) == 5
    assert other.recv(9) == b"hello"
    other.sendall(b"answer")
    assert wait(lambda: stream.receive_into(buffer, 3)) == 3 and buffer[:3] == b"ans"
    assert wait(lambda: stream.receive_into(buffer, 8)) == 3
    while stream.send(bytes(1 << 16)) is not None:  # until nobody reads any more
        pass
    other.close()
    stream.close()


def test_closed_stream_gives_zero(port, server):
    stream = port.open_stream("127.0.0.1", server.getsockname()[1], 1000)
    server.accept()[0].close()
    assert wait(lambda: stream.receive_into(bytearray(1), 1)) == 0
    stream.close()


def test_refused_connection_and_want_of_sockets_are_oserrors(port, server, monkeypatch):
    number = server.getsockname()[1]
    server.close()
    with pytest.raises(OSError, match="refused"):
        port.open_stream("127.0.0.1", number, 1000)
    monkeypatch.setattr(Pool, "full", True)
    with pytest.raises(OSError, match="Out of sockets"):
        port.open_stream("127.0.0.1", number, 1000)


def wait(ask):
    """Return the first answer that isn't None."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        answer = ask()
        if answer is not None:
            return answer
    raise AssertionError("expected an answer within 5 s")


def test_wifi_is_tried_until_time_is_up(port, monkeypatch):
    import wifi

    wifi.radio = Radio(tries=3)
    assert port.connect(4000)
    assert [asked[:2] for asked in wifi.radio.asked] == [("farm", "tractor1")] * 3
    assert [asked[2] for asked in wifi.radio.asked] == [4.0, 3.4, 2.8]
    port.disconnect()
    assert not wifi.radio.enabled
    wifi.radio = Radio(tries=99)
    began = Ticks.now
    assert not port.connect(4000)
    assert 4000 <= Ticks.now - began < 4700


def test_a_password_that_no_network_can_have_is_told_at_once(port):
    import wifi

    wifi.radio = Radio(tries=3, error=lambda text: ValueError("password length must be 8-64"))
    with pytest.raises(OSError, match="expected WIFI_SSID and WIFI_PASSWORD that a network can have, got: password"):
        port.connect(4000)
    assert len(wifi.radio.asked) == 1


def test_no_try_outlasts_the_watchdog(port, monkeypatch):
    import wifi

    monkeypatch.setattr(port, "_watchdog", SimpleNamespace(timeout=8.0, feed=lambda: None))
    wifi.radio = Radio(tries=2, took_ms=7000)
    port.connect(30000)
    assert [asked[2] for asked in wifi.radio.asked] == [7.0, 7.0]


def test_secret_is_text_whatever_settings_toml_holds(port, monkeypatch):
    answers = {"A": 1234, "B": "word"}
    monkeypatch.setattr(port, "os", SimpleNamespace(getenv=answers.get))
    assert [port.secret(name) for name in "ABC"] == ["1234", "word", ""]


def test_malformed_secret_is_none_and_never_shown(port, monkeypatch, capsys):
    def getenv(name):
        raise ValueError("invalid syntax for integer with base 10: 'tractor1'")

    monkeypatch.setattr(port, "os", SimpleNamespace(getenv=getenv))
    assert port.secret("WIFI_PASSWORD") == ""
    assert "tractor1" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("newer", "older", "difference"),
    [
        (5, 3, 2),
        (3, 5, -2),
        (2, (1 << 29) - 3, 5),
        ((1 << 29) - 3, 2, -5),
        ((1 << 28) - 1, 0, (1 << 28) - 1),
        (1 << 28, 0, -(1 << 28)),
    ],
)
def test_ticks_wrap_at_2_to_the_29(port, newer, older, difference):
    assert port.ticks_diff(newer, older) == difference
