"""Kernels in plain bytecode are generators whose `send` is handed out.

A generator's locals stay where they are between calls, whereas a function with more than 11 words of
locals and stack looks for room on the heap each time, which can cost more than all that it does. A bytecode
costs about the same whatever it does, so they hoist, iterate and don't call. Nothing allocates once
it is made, and nothing leaves the small ints of a 32-bit VM: readings are within +-READING_LIMIT,
offsets within 0..high - low, codes are bytes, scores are below 2**16.
"""


def started(generator):
    """Return the `send` of a generator that waits at its first yield."""
    next(generator)
    return generator.send
