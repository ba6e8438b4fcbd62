"""Inside the VM: digital pins."""

import wire


class Pull:
    UP = 1
    DOWN = 2


class DigitalInOut:
    def __init__(self, pin):
        self._pin = pin
        self._number = pin.claim()
        self._is_output = False

    def deinit(self):
        self._pin.release()

    def switch_to_output(self, value=False):
        self._is_output = True
        self.value = value

    def switch_to_input(self, pull=None):
        self._is_output = False

    @property
    def value(self):
        return bool(wire.ask(80, self._number))  # P

    @value.setter
    def value(self, value):
        if not self._is_output:
            raise AttributeError("Cannot set value when direction is input.")
        wire.ask(79, self._number, 1 if value else 0)  # O
