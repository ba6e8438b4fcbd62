"""Run on a MicroPython board: what its clock, heap, pins, bus and sleep are like. Each prints lines `KEY VALUE`."""

import gc
import os
import sys
import time

import machine

NOISE_READINGS = 32


def doctor_board():
    gc.collect()
    print("heap", gc.mem_free(), gc.mem_free() + gc.mem_alloc())
    block, _, blocks, unused = os.statvfs("/")[:4]
    print("flash", block * unused, block * blocks)
    print("system", sys.version)
    print("reset", machine.reset_cause())
    print("clock", "%04d-%02d-%02d %02d:%02d:%02d" % time.gmtime()[:6])
    doctor_network()


def doctor_network():
    """Print what the firmware has of what reports by radio need."""
    try:
        import network  # noqa: F401

        print("wifi yes")
    except ImportError:
        print("wifi no")
    try:
        import ssl  # noqa: F401

        print("tls yes")
    except ImportError:
        print("tls no")


def doctor_i2c(sda, scl, frequency_hz):
    """Print the addresses that answer, and whether both lines rest high."""
    lines = [machine.Pin(pin, machine.Pin.IN) for pin in (sda, scl)]
    print("levels", lines[0].value(), lines[1].value())
    bus = machine.SoftI2C(scl=machine.Pin(scl), sda=machine.Pin(sda), freq=frequency_hz)
    print("addresses", *bus.scan())


def doctor_power(pin, level):
    machine.Pin(pin, machine.Pin.OUT, value=level)


def doctor_analog(pin):
    """Print the least, the middle and the greatest of some readings, in microvolts."""
    adc = machine.ADC(machine.Pin(pin))
    if hasattr(machine.ADC, "ATTN_11DB"):
        adc = machine.ADC(machine.Pin(pin), atten=machine.ADC.ATTN_11DB)
    read = getattr(adc, "read_uv", None)
    found = sorted([read() if read else adc.read_u16() * 3300000 // 65535 for _ in range(NOISE_READINGS)])
    print("analog", found[0], found[NOISE_READINGS // 2], found[-1])


def doctor_sleep(ms):
    """Print how long a light sleep took by the ticks, and by the calendar."""
    ticks, calendar = time.ticks_ms(), time.time()
    machine.lightsleep(ms)
    print("sleep", time.ticks_diff(time.ticks_ms(), ticks), 1000 * (time.time() - calendar))


def doctor_model(path):
    """Print whether the model's self-test passes, and the microseconds of a prediction and of the self-test."""
    sys.path.insert(0, "/lib")
    from dibble.inference import load

    model = load(path)
    begun = time.ticks_us()
    model.self_test()
    tested = time.ticks_diff(time.ticks_us(), begun)
    low = [0] * len(model.readings)
    begun = time.ticks_us()
    for _ in range(10):
        model.predict(low, 600000)
    print("model", time.ticks_diff(time.ticks_us(), begun) // 10, tested)
