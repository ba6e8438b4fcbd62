"""Run on a board whose node is stopped: its microphone, as config.json has it, a few hops when they are asked for."""

import sys

hearing = []
HOP = 256
WAIT_MS = 2000  # for a hop, at most


def sound_begin(rate_hz):
    """Start the microphone."""
    sys.path.insert(0, "/lib")
    if sys.implementation.name == "circuitpython":
        from dibble.ports import circuitpython as port
    else:
        from dibble.ports import micropython as port
    from array import array

    from dibble import config
    from dibble.drivers import driver

    with open("/config.json", "rb") as file:
        settings = config.parse(file.read(), lambda *named: driver(*named).SETTINGS)["listen"]
    if not settings["driver"]:
        raise ValueError("expected config.listen, which names the microphone, got none")
    settings["ring_ms"] = max(settings.get("ring_ms", 0), 400)  # between two questions of the host
    stream = driver(settings["driver"], "dibble.streams.").build(settings, port, None, rate_hz, HOP)
    stream.start()
    hearing[:] = [port, stream, memoryview(array("h", bytearray(2 * HOP))), mu_law(), bytearray(HOP), 0]


def mu_law():
    """Return codes (ITU-T G.711) of samples in steps of 16: sign, 3 bits of exponent, 4 of mantissa, all inverted."""
    codes = bytearray(4096)
    for i in range(4096):
        value = i - 2048
        size = min(abs(value) * 16 + 8 + 132, 32767)
        exponent = 7
        while exponent and not size >> exponent + 7:
            exponent -= 1
        codes[i] = ~((128 if value < 0 else 0) | exponent << 4 | size >> exponent + 3 & 15) & 255
    return codes


def sound_take(hops):
    """Print a line for each of so many hops: its number, samples lost before it, its codes, CRC-32 of all that."""
    from binascii import b2a_base64, crc32

    port, stream, samples, codes, out, number = hearing
    for _ in range(hops):
        left = WAIT_MS
        while not stream.readinto(samples):
            port.sleep_ms(2)
            left -= 2
            if left <= 0:
                raise OSError("expected samples of the microphone, got none in %d ms: check its wires" % WAIT_MS)
        for i in range(HOP):
            out[i] = codes[(samples[i] >> 4) + 2048]
        text = "%d,%d,%s" % (number, stream.lost(), str(b2a_base64(out)[:-1], "ascii"))
        print("%s*%08X" % (text, crc32(text.encode()) & 0xFFFFFFFF))
        number += 1
    hearing[5] = number
