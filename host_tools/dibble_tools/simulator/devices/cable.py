"""Metres of cable between a bus and its sensor: now and then an answer is lost, or one bit of it.

Known from esphome issues 903 (DS18B20) and 5355, and libdriver's on SHT3x; how often is chosen.
"""

import random

from dibble_tools.simulator.node.bus import I2cDevice, Nack, OneWireDevice


class I2cCable:
    """An I2C device whose acknowledge, or a bit of whose answer, is lost now and then.

    Args:
        nack_share: of the transactions, that aren't acknowledged.
        flip_share: of the answers, that have one bit changed.
    Attributes:
        lose, spoil: so many of the next transactions, or answers, are lost or changed whatever the shares say.
    """

    def __init__(self, device: I2cDevice, rng: random.Random, nack_share: float = 0.0, flip_share: float = 0.0) -> None:
        self.device = device
        self.rng = rng
        self.nack_share = nack_share
        self.flip_share = flip_share
        self.lose = self.spoil = 0

    def write(self, data: bytes) -> None:
        self._acknowledge()
        self.device.write(data)

    def read(self, size: int) -> bytes:
        self._acknowledge()
        answer = self.device.read(size)
        if self.spoil or self.rng.random() < self.flip_share:
            self.spoil = max(self.spoil - 1, 0)
            bit = self.rng.randrange(8 * size)
            answer = (int.from_bytes(answer, "big") ^ 1 << bit).to_bytes(size, "big")
        return answer

    def _acknowledge(self) -> None:
        if self.lose or self.rng.random() < self.nack_share:
            self.lose = max(self.lose - 1, 0)
            raise Nack


class OneWireCable:
    """A 1-Wire bus, a bit of whose bytes is changed now and then on their way to the board.

    Attributes:
        spoil: so many of the next bytes are changed whatever the share says.
    """

    def __init__(self, device: OneWireDevice, rng: random.Random, flip_share: float = 0.0) -> None:
        self.device = device
        self.rng = rng
        self.flip_share = flip_share
        self.spoil = 0

    def reset(self) -> bool:
        return self.device.reset()

    def write(self, byte: int) -> None:
        self.device.write(byte)

    def read(self) -> int:
        byte = self.device.read()
        if self.spoil or self.rng.random() < self.flip_share:
            self.spoil = max(self.spoil - 1, 0)
            byte ^= 1 << self.rng.randrange(8)
        return byte

    def write_bit(self, bit: int) -> None:
        self.device.write_bit(bit)

    def read_bit(self) -> int:
        return self.device.read_bit()
