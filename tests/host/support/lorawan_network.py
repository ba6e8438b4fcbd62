"""A LoRaWAN modem on a node's I2C bus, of class A in Europe, and the network behind it, which loses messages both ways.

Time on the air: Semtech SX1276 data sheet, 4.1.1.7. After each frame the band is closed for 99 times as long: 1 %, ETSI
EN 300 220-2, 868.0 to 868.6 MHz, which has the three channels that every network has. The windows open so long after a
frame's end, the second one a second later (LoRa Alliance TS001-1.0.4); The Things Stack waits 5 s.
"""

import itertools
import math
import random
from collections.abc import Callable, Iterator
from pathlib import Path

from dibble.update.lorawan import PORT
from dibble_tools.radio.lorawan import Answer, downlinks, sum_of
from dibble_tools.radio.parcel import Parcel
from dibble_tools.simulator.node.firmware import firmware_folder
from dibble_tools.simulator.node.vm import Stop
from node_helpers import Bench, soil_model

ADDRESS = 0x55
IDLE, BUSY, NO_TIME, NO_ACKNOWLEDGEMENT = range(4)
HEAD_BYTES = 13  # MHDR, address, control, counter, port, MIC
MOST_BYTES = {7: 222, 8: 222, 9: 115, 10: 51, 11: 51, 12: 51}  # RP002-1.0.4, EU868, without a repeater
RX1_S, RX2_S = 5.0, 6.0
DRIVER = f'''"""A modem that is asked by I2C."""

SETTINGS = (("address", int, {ADDRESS}, {ADDRESS}, {ADDRESS}),)


def build(settings, port, bus):
    return Modem(settings["address"], port, bus)


class Modem:
    def __init__(self, address, port, bus):
        self._address = address
        self._port = port
        self._bus = bus

    def send(self, port, data, confirmed):
        self._bus.write(self._address, bytes((port, confirmed)) + data)
        state = bytearray(2)
        while True:
            self._port.sleep_ms(200)
            self._bus.read_into(self._address, state)
            if state[0] != {BUSY}:
                break
        if state[0] != {IDLE}:
            raise OSError(("no time on the air left", "no acknowledgement")[state[0] - {NO_TIME}])
        down = bytearray(state[1])
        if not down:
            return []
        self._bus.read_into(self._address, down)
        return [(down[0], bytes(down[1:]))]
'''


def time_on_air_s(sf: int, size: int) -> float:
    """Return how long a frame of so many bytes takes at 125 kHz, coding rate 4/5, 8 symbols of preamble."""
    symbol_s = 2**sf / 125_000
    slow = sf >= 11
    symbols = 8 + max(math.ceil((8 * size - 4 * sf + 28 + 16) / (4 * (sf - 2 * slow))) * 5, 0)
    return (12.25 + symbols) * symbol_s


class Server:
    """Brings a parcel to a node, as who asks `dibble downlinks --answer` after each of its uplinks does.

    Attributes:
        parcel: None: there is nothing to bring.
        sent: how many downlinks went out for it.
        states: what the node said of it, in order.
    """

    def __init__(self) -> None:
        self.parcel: Parcel | None = None
        self.sent = 0
        self.states: list[str] = []
        self._answer: Answer | None = None
        self._since: list[bytes] = []  # the last answer
        self._sums: Iterator[int] = itertools.count()

    def offer(self, parcel: Parcel) -> None:
        self.__init__()  # type: ignore[misc]
        self.parcel = parcel

    def hear(self, port: int, payload: bytes) -> None:
        if port == PORT and self.parcel:
            self._answer, self._since = Answer.of(payload), []
            if self._answer.crc == self.parcel.told_crc and self._answer.state not in self.states[-1:]:
                self.states.append(self._answer.state)

    def next(self) -> bytes | None:
        """Return the next downlink, None: there is none."""
        if not self.parcel or self.states[-1:] not in ([], ["receiving"]):
            return None
        wanted = [each for each in downlinks(self.parcel, 0, self._answer) if each not in self._since]
        if not self._answer:
            wanted = [next(downlinks(self.parcel))]
        payload = wanted[0] if wanted else sum_of(self.parcel, next(self._sums))
        self._since.append(payload)
        self.sent += 1
        return payload


class Modem:
    """The modem, an I2C device.

    Args:
        now_us: the node's time.
        server: what is behind the gateway.
        sf: spreading factor of both ways.
    Attributes:
        loss: share of messages that get lost, each way, as `chance` has it.
        heard: (port, payload) of uplinks that arrived.
        air_us: what the node has been on the air, refused: how often it wanted to and mustn't.
    """

    def __init__(self, now_us: Callable[[], int], server: Server, sf: int = 12, loss: float = 0.2) -> None:
        self._now_us = now_us
        self._server = server
        self._sf = sf
        self.loss = loss
        self.chance = random.Random(sf)
        self._closed_us = self._ready_us = 0
        self._state, self._down = IDLE, b""
        self._told = True
        self.heard: list[tuple[int, bytes]] = []
        self.air_us = self.refused = 0

    def write(self, data: bytes) -> None:
        port, confirmed, payload = data[0], bool(data[1]), data[2:]
        assert len(payload) <= MOST_BYTES[self._sf], f"expected what the data rate takes, got {len(payload)} bytes"
        self._down, self._told = b"", False
        if self._now_us() < self._closed_us:
            self._state, self._ready_us = NO_TIME, self._now_us()
            self.refused += 1
            return
        air_us = round(1e6 * time_on_air_s(self._sf, HEAD_BYTES + len(payload)))
        end_us = self._now_us() + air_us
        self.air_us += air_us
        self._closed_us = end_us + 99 * air_us
        self._state = NO_ACKNOWLEDGEMENT if confirmed else IDLE
        self._ready_us = end_us + round(1e6 * (RX2_S + 0.3))
        if self.chance.random() < self.loss:
            return
        self.heard.append((port, payload))
        self._server.hear(port, payload)
        down = self._server.next()
        if (down is None and not confirmed) or self.chance.random() < self.loss:
            return
        self._state = IDLE
        self._down = bytes([PORT]) + down if down else b""
        self._ready_us = end_us + round(1e6 * (RX1_S + time_on_air_s(self._sf, HEAD_BYTES + len(down or b""))))

    def read(self, size: int) -> bytes:
        if self._now_us() < self._ready_us:
            return bytes((BUSY, 0))
        if not self._told:
            self._told = True
            return bytes((self._state, len(self._down)))
        return self._down[:size]


def firmware_with_modem(target: Path) -> Path:
    """Lay out firmware in a new folder, with the modem's driver; return it."""
    made = firmware_folder(target)
    (made / "lib" / "modem.py").write_text(DRIVER)
    return made


SETTINGS = {"interval_s": 600, "lorawan": {"driver": "modem"}, "actions": []}
OLD = soil_model(400)


class LorawanBench(Bench):
    """A node whose modem hangs on the I2C bus.

    Attributes:
        server, modem: of the network behind it.
    """

    def __init__(self, firmware: Path, folder: Path, model: bytes | None = OLD, **config: object) -> None:
        super().__init__(firmware, folder, model, **{**SETTINGS, **config})
        self.server = Server()
        self.modem = Modem(lambda: self.hardware.now_us, self.server)
        self.hardware.i2c[ADDRESS] = self.modem

    def runs(self) -> str:
        """Return the name of the model that runs."""
        return self.events("model")[-1].partition(" CRC ")[0]

    def bring(self, parcel: Parcel) -> list[str]:
        """Offer a parcel, and live on until the server knows what became of it; return what ended these lives."""
        self.server.offer(parcel)
        return self.until_told()

    def until_told(self, hours: float = 40) -> list[str]:
        """Live on until the server knows what became of what it offered; return what ended these lives."""
        end_s = self.now_s() + 3600 * hours
        lives: list[str] = []

        def stop() -> None:
            if self.server.states[-1:] not in ([], ["receiving"], ["tried"]):
                raise Stop

        while (left_s := end_s - self.now_s()) > 1 and lives[-1:] != ["stop"]:
            lives.append(self.run(left_s / 60, meanwhile=stop))
        return lives
