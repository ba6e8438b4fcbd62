"""Which pins a chip has, which of them its converter reads, and where the simulated orchard's sensors hang on each.

Data sheets of the chips; ports/rp2 and ports/esp32 of MicroPython (machine_pin.c, machine_adc.c). A chip that isn't
here, whose pins have names, is served at an RP2040's numbers.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class ChipPins:
    """A chip's pins.

    Attributes:
        digital, analog, inputs: numbers; inputs: which can be nothing else.
    """

    digital: frozenset[int]
    analog: frozenset[int]
    inputs: frozenset[int] = frozenset()

    def text(self) -> str:
        """Return it as the VM is told: three lists, each a number with a bit for each pin."""
        return "/".join(str(sum(1 << pin for pin in pins)) for pins in (self.digital, self.analog, self.inputs))


@dataclass(frozen=True)
class OrchardPins:
    """Pins of the orchard's sensors and of its valve."""

    sda: int = 4
    scl: int = 5
    wind: int = 7
    pump: int = 8
    drop: int = 9
    rain: int = 10
    valve: int = 16
    soil: int = 26
    gas: int = 27
    vane: int = 28
    battery: int = 29  # a Pico measures its supply there


def _pins(*ranges: tuple[int, int]) -> frozenset[int]:
    return frozenset(pin for first, last in ranges for pin in range(first, last + 1))


_RP2 = ChipPins(_pins((0, 29)), _pins((26, 29)))
_ESP32_INPUTS = _pins((34, 39))
CHIPS = {
    "RP2040": _RP2,
    "RP2350": _RP2,
    # Its flash is at 6 to 11; ADC2, the second half, is dead while Wi-Fi is on.
    "ESP32": ChipPins(
        _pins((0, 5), (12, 19), (21, 23), (25, 27), (32, 39)),
        _pins((32, 39), (0, 0), (2, 2), (4, 4), (12, 15), (25, 27)),
        _ESP32_INPUTS,
    ),
    "ESP32S3": ChipPins(_pins((0, 21), (33, 48)), _pins((1, 20))),
    "ESP32C3": ChipPins(_pins((0, 10), (18, 21)), _pins((0, 5))),
}
_ORCHARD = {
    "ESP32": OrchardPins(21, 22, 13, 26, 27, 14, 16, 34, 35, 32, 33),
    "ESP32S3": OrchardPins(8, 9, 11, 12, 13, 14, 16, 1, 2, 4, 5),
    "ESP32C3": OrchardPins(8, 9, 4, 5, 6, 7, 10, 0, 1, 2, 3),
}


def pins_of(chip: str) -> ChipPins:
    return CHIPS.get(chip, _RP2)


def places_on(chip: str) -> OrchardPins:
    return _ORCHARD.get(chip, OrchardPins())
