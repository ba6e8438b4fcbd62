"""The wake cycle of a micro:bit v1: soil probes at analog pins, one relay, the display as its face.

../node.py writes the main.py that makes the parts and calls run(). There all of it lies
in one namespace. MicroPython on this board offers no watchdog, no clock and no sleep deeper than
idling: so the relay's longest time on is kept by this program alone, and time begins at power-on.
"""

import gc
import sys

import utime
from dibble import SensorError
from dibble.actions import Action
from dibble.drivers.oversampling import steady_uv
from dibble.drivers.soil_adc import moisture_permille
from dibble.inference.crc32 import crc32
from dibble.inference.decision import NO_CLASS
from dibble.inference.fixed_point import MISSING, divide
from microbit import display, reset

HEAD_EVERY = 50  # lines


class Pin:
    """A pin as drivers and actions want it.

    Args:
        pin: microbit.pin0, ...
        supply_mv: the board's supply, 1800..3600: full scale of the converter.
    """

    def __init__(self, pin, supply_mv):
        self.pin = pin
        self.supply_mv = supply_mv

    def read_uv(self):
        # 10 bits: 1023 * 3600 < 2**22; what is left of a millivolt, 1022 * 1000 < 2**20.
        share = self.pin.read_analog() * self.supply_mv
        return share // 1023 * 1000 + divide(share % 1023 * 1000, 1023)

    def set(self, value):
        self.pin.write_digital(value)


def measure(adc, name, samples, dry_mv, wet_mv):
    """Return a probe's moisture in permille, MISSING where that fails."""
    try:
        permille = moisture_permille(steady_uv(utime, adc, name, samples), dry_mv, wet_mv)
    except SensorError:
        permille = None
    return MISSING if permille is None else permille


def write_line(fields, readings, crc):
    """Write a decision's line as report.serial_line does, in parts, as the heap is in pieces.

    Args:
        fields: sequence, time in s, class, held class, margin, flags, action, faults.
        crc: CRC-32 of the line that names the fields.
    """
    text = "%d,%d,%s,%s,%d,%d,%d,%d," % fields
    i = 0
    while True:
        print(text, end="")
        crc = crc32(bytes(text, "utf-8"), len(text), 0, crc)
        if i == len(readings):
            break
        text = "," if readings[i] == MISSING else ",%d" % readings[i]
        i += 1
    print("*%04X%04X" % crc)


def rest(action, ms):
    """Sleep, waking to switch off what has been on for long enough."""
    while ms > 0:
        part_ms = min(ms, action.elapse(0) or ms)
        utime.sleep_ms(part_ms)
        action.elapse(part_ms)
        ms -= part_ms


def run(predictor, names, letters, before, probes, relay, supply_mv, interval_ms):
    """Wake, read, decide, act, show, tell and sleep, for ever.

    Ctrl-C ends it, an error resets the board: either switches the relay off.

    Args:
        predictor: whose features are the last readings.
        names, letters: of each class, then of none.
        before: CRC-32 of the line that names the fields, which the file `head` holds.
        probes: for each of the predictor's channels (pin, its number, samples, dry_mv, wet_mv).
        relay: (class, pin, max_on_ms, rest_ms, active_low).
        supply_mv: see Pin.
        interval_ms: from one waking to the next.
    """
    action = Action(names.index(relay[0]), Pin(relay[1], supply_mv), *relay[2:])
    adcs = []
    for probe in probes:
        adcs.append(Pin(probe[0], supply_mv))
    sequence = time_s = part_ms = 0
    none = len(names) - 1
    try:
        while True:
            woke = utime.ticks_ms()
            faults = i = 0
            for probe in probes:
                predictor.readings[i] = measure(adcs[i], *probe[1:])
                faults += predictor.readings[i] == MISSING
                i += 1
            decision = predictor.predict()
            held = min(decision.held_index, none)
            action.want(held, faults)
            display.show("!" if faults else letters[held])
            if sequence % HEAD_EVERY == 0:
                with open("head") as file:
                    print(file.readline())  # read() would take 256 bytes
            sequence += 1
            name = names[min(decision.class_index, none)]
            write_line(
                (sequence, time_s, name, names[held], decision.margin, decision.flags, action.is_on, faults),
                predictor.readings,
                before,
            )
            gc.collect()
            awake_ms = utime.ticks_diff(utime.ticks_ms(), woke)
            action.elapse(awake_ms)
            left_ms = max(interval_ms - awake_ms, 1000)
            rest(action, left_ms)
            part_ms += awake_ms + left_ms
            time_s += part_ms // 1000
            part_ms %= 1000
    except Exception as error:  # nobody is there to read it: start anew
        sys.print_exception(error)
        reset()  # pins, too
    finally:
        action.want(NO_CLASS, True)
