"""A real mosquitto on a free port of this machine, and a collector that stays subscribed through its outages."""

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from patience import PATIENCE_S


class Mosquitto:
    """A broker process; ended by its process id.

    Args:
        folder: for its configuration, log and database.
        settings: further lines of its configuration.
    """

    def __init__(self, folder: Path, settings: str = "allow_anonymous true") -> None:
        command = shutil.which("mosquitto") or shutil.which("/usr/sbin/mosquitto")
        if not command:
            pytest.fail("expected the broker mosquitto, found none; install it with: apt-get install mosquitto")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.log = folder / "broker.log"
        self._database = folder / "mosquitto.db"
        configuration = folder / "mosquitto.conf"
        lines = [
            f"listener {self.port} 127.0.0.1",
            settings,
            "persistence true",
            f"persistence_location {folder}/",
            "autosave_interval 1",
            "max_queued_messages 0",
            "max_inflight_messages 0",
            "queue_qos0_messages true",
            f"log_dest file {self.log}",
            *(["user root"] if os.getuid() == 0 else []),
        ]
        configuration.write_text("\n".join(lines) + "\n")
        self._command = [command, "-c", str(configuration)]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Mosquitto":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end(signal.SIGKILL)

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end and self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.005)
        said = self.log.read_text() if self.log.exists() else ""
        pytest.fail(f"expected mosquitto to listen on port {self.port}; its log: {said}")

    @property
    def process_id(self) -> int:
        assert self._process
        return self._process.pid

    def send_signal(self, number: int) -> None:
        assert self._process
        self._process.send_signal(number)

    def save(self) -> None:
        """Have it write its sessions to its database, and wait for that: it may be killed next."""
        before = self._saved()
        self.send_signal(signal.SIGUSR1)
        end = time.monotonic() + PATIENCE_S
        while self._saved() == before:
            assert time.monotonic() < end, "expected mosquitto to save its database"
            time.sleep(0.005)

    def _saved(self) -> tuple[int, int] | None:
        try:
            found = self._database.stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns

    def end(self, number: int) -> None:
        assert self._process
        self._process.send_signal(number)
        self._process.send_signal(signal.SIGCONT)
        self._process.wait(PATIENCE_S)


class Collector:
    """A subscriber to everything below `topic`; comes back by itself, to the same session.

    A broker that is killed loses what it had acknowledged and not yet passed on. To the socket of a
    connected subscriber of QoS 0 mosquitto writes a message before it acknowledges it, and what is in
    that socket survives the broker. So: keep this one connected (settle()) whenever the broker is killed,
    and each acknowledged message arrives. While it is away the broker queues in its memory.
    """

    def __init__(self, broker: Mosquitto, topic: str, **credentials: str) -> None:
        self.messages: list[tuple[str, bytes, bool]] = []  # topic, payload, retained
        self._seen = threading.Condition()
        self._probes = 0
        self._topic = topic
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, "collector", clean_session=False)
        if credentials:
            self._client.username_pw_set(**credentials)
        self._client.on_connect = lambda client, *_: client.subscribe([(topic, 0), ("probe", 0)])
        self._client.on_message = self._take
        self._client.reconnect_delay_set(0.01, 0.05)  # type: ignore[arg-type]
        self._client.connect("127.0.0.1", broker.port, keepalive=600)
        self._client.loop_start()
        self.settle()
        broker.save()  # the session

    def __enter__(self) -> "Collector":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _take(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        with self._seen:
            if message.topic == "probe":
                self._probes = max(self._probes, int(message.payload))
            else:
                self.messages.append((message.topic, message.payload, message.retain))
            self._seen.notify_all()

    def settle(self) -> None:
        """Wait until it is connected and has all that the broker has for it: a message to itself came back."""
        end = time.monotonic() + PATIENCE_S
        probe = self._probes + 1
        while time.monotonic() < end:
            self._client.publish("probe", str(probe))
            with self._seen:
                if self._seen.wait_for(lambda: self._probes >= probe, 0.05):
                    return
        pytest.fail("expected the collector to be connected again")

    def wait_for(self, count: int, timeout_s: float = PATIENCE_S) -> list[tuple[str, bytes, bool]]:
        """Return the messages once there are `count` of them."""
        with self._seen:
            assert self._seen.wait_for(lambda: len(self.messages) >= count, timeout_s), self.messages
            return list(self.messages)
