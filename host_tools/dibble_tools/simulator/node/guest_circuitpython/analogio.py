"""Inside the VM: analog inputs."""

import wire
from microcontroller import ANALOG_PINS
from time import short_float


class AnalogIn:
    reference_voltage = short_float(3.3)

    def __init__(self, pin):
        if pin.number not in ANALOG_PINS:
            raise ValueError("Invalid pin")
        self._number = pin.claim()

    @property
    def value(self):
        return wire.number(65, self._number)  # A
