"""What may befall an update by MQTT: the power fails at an operation of the flash, the broker dies at a message."""

import contextlib
import signal
import socket
import threading
import time
from pathlib import Path

from dibble_tools.radio.parcel import Parcel
from mosquitto import Collector, Mosquitto
from patience import PATIENCE_S
from radio_bench import SETTLED_MINUTES, RadioBench, states, told

_CHUNK = 4096


class KillingProxy:
    """Stands between node and broker; kills the broker when the node's message of a number comes, and starts it again.

    Attributes:
        port: for the node.
        count: messages of the node so far; the one that kills, 0: none, is `fatal`.
    """

    def __init__(self, broker: Mosquitto, collector: Collector) -> None:
        self.count = self.fatal = 0
        self._broker = broker
        self._collector = collector
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> "KillingProxy":
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(PATIENCE_S)

    def _serve(self) -> None:
        while True:
            try:
                node, _ = self._server.accept()
            except OSError:
                return
            with node, self._to_broker() as broker:
                back = threading.Thread(target=_pump, args=(broker, node), daemon=True)
                back.start()
                self._forward(node, broker)
                with contextlib.suppress(OSError):
                    broker.shutdown(socket.SHUT_RDWR)  # which ends the other direction, too
                back.join(PATIENCE_S)

    def _to_broker(self) -> socket.socket:
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self._broker.port))
            except OSError:
                assert time.monotonic() < end, "expected the broker to be back"
                time.sleep(0.01)

    def _forward(self, node: socket.socket, broker: socket.socket) -> None:
        """Pass the node's messages on, one by one."""
        held = b""
        while True:
            try:
                data = node.recv(_CHUNK)
            except OSError:
                return
            if not data:
                return
            held += data
            while (size := _size_of(held)) and len(held) >= size:
                self.count += 1
                if self.count == self.fatal:
                    self._collector.settle()
                    self._broker.end(signal.SIGKILL)
                    self._broker.start()
                    return
                try:
                    broker.sendall(held[:size])
                except OSError:  # it has closed the connection
                    return
                held = held[size:]


def _size_of(data: bytes) -> int:
    """Return the bytes of the MQTT packet that begins here, 0: its length isn't there yet."""
    size = shift = 0
    for i, byte in enumerate(data[1:5], 2):
        size |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return i + size
    return 0


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(_CHUNK):
            target.sendall(data)
    except OSError:
        pass
    for each in (source, target):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


def operations_of_an_update(bench: RadioBench, parcel: Parcel, collector: Collector) -> int:
    """Return how many programs and erases of the flash an update takes that nothing befalls."""
    bench.restore()
    bench.offer(parcel)
    bench.hardware.flash.cut_at([])
    check_settled(bench, parcel, collector)
    return bench.hardware.flash.operations


def check_cut(bench: RadioBench, parcel: Parcel, collector: Collector, cut: int, torn: float) -> None:
    """Let the power fail once in an update: old or new runs at once, and in the end the new one."""
    bench.restore()
    bench.offer(parcel)
    bench.hardware.flash.cut_at([cut], torn=torn)
    while bench.run(SETTLED_MINUTES) != "cut":
        assert bench.hardware.flash.operations < cut, f"expected a cut at {cut}"
    bench.hardware.flash.cut_at([])
    check_settled(bench, parcel, collector)


def check_settled(bench: RadioBench, parcel: Parcel, collector: Collector) -> None:
    """Live on: what came runs, is confirmed, and each record that the node acknowledged has arrived."""
    bench.settle(collector, parcel)
    final = told(collector)[-1]
    assert final["crc"] == parcel.told_crc, bench.vm.text()[-3000:]
    assert final["installed"] == parcel.version or parcel.kind != "model"
    assert states(collector)[-1].startswith("confirmed"), states(collector)
    arrived = {state["seq"] for state in told(collector, "state")}
    last = max(arrived)
    lost = set(range(2, last + 1)) - arrived  # the first went before
    assert not {seq for seq in lost if seq > min(arrived)}, f"lost: {sorted(lost)}"


def keep_broker(folder: Path) -> Mosquitto:
    """Return a broker that is on."""
    broker = Mosquitto(folder)
    broker.start()
    return broker
