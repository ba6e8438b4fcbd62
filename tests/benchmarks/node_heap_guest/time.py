"""Inside the VM: a clock that goes on by waits only, and at the end of each interval tells what the heap holds."""

import gc

now_ms = 0
mark_ms = 0
cycles_left = 0
base_bytes = 0


def begin(cycles, interval_ms):
    """Tell what the heap holds each so many ms, so many times; end the program then."""
    global cycles_left, mark_ms, base_bytes
    cycles_left, mark_ms = cycles, interval_ms
    gc.collect()
    base_bytes = gc.mem_alloc()
    print("BEGIN", base_bytes, gc.mem_alloc() + gc.mem_free())


def sleep_ms(ms):
    global now_ms, mark_ms, cycles_left
    now_ms += ms
    if mark_ms <= now_ms:
        mark_ms += 600000
        gc.collect()
        print("CYCLE", gc.mem_alloc() - base_bytes)
        cycles_left -= 1
        if cycles_left == 0:
            raise SystemExit


def sleep_us(us):
    pass


def ticks_ms():
    return now_ms


def ticks_diff(newer, older):
    return newer - older


def gmtime(seconds=0):
    return 2026, 6, 1, 12, 0, 0, 0, 152
