"""Inside the VM: the pins of a Pico, and 29, which a Pico keeps to itself."""

from microcontroller import Pin

board_id = "raspberry_pi_pico"
pins = [Pin(number) for number in range(30)]
for number in range(30):
    exec(f"GP{number} = pins[{number}]")  # so that dir() knows the names
LED = pins[25]
A0, A1, A2 = pins[26:29]
del number, pins


def I2C():
    raise NotImplementedError
