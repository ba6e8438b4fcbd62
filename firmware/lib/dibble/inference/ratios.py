"""Channels made of others before the windows see a row: by how many octaves one reading lies above another.

A ratio's value is log2 of one channel's reading less that of another, or less the mean of several channels' logarithms,
in 1/1024 octave, clamped to low..low + span; its offset is what lies above low. Such channels come after the model's
own, and a feature names them by their places there. models/FORMAT.md has the part "ratios".
"""

from array import array

from dibble.inference.kernels.generator import started

STEPS = 1024  # of an octave
# A bend over the straight line between two powers of two: with it a logarithm is within 0.0091 octave.
BEND, BEND_SHIFT = 45, 17


def log2(value):
    """Return log2 of 1..2**30 - 1 in 1/1024, rounded down to what its 11 highest bits say; it never falls."""
    steps = 10 << 10
    while value >= 2048:
        value >>= 1
        steps += STEPS
    while value < 1024:
        value <<= 1
        steps -= STEPS
    value -= 1024
    return steps + value + (value * (1024 - value) * BEND >> BEND_SHIFT)  # 2**18 * 45 < 2**24


def read(file, least):
    """Return (channel, channels it is compared with, low, span) of each ratio of a part's content.

    Args:
        least: each own channel's low: a ratio is of readings above 0.
    """
    found = []
    for _ in range(file.number()):
        own = file.byte()
        others = bytes(file.take(file.byte()))
        found.append((own, others, file.signed(), file.number()))
        if not others or min([least[channel] for channel in others + bytes((own,))]) < 1:
            raise ValueError("a ratio of readings of 0 or less")
    return found


def before(ratios, least, push):
    """Return f(offsets) that gives `push` those of the ratios, too; the complement where a channel is missing."""
    return started(_before(ratios, least, push, array("i", [0] * (len(least) + len(ratios)))))


def _before(ratios, least, push, offsets):
    places = []  # of the channels whose logarithms are wanted, among these
    for own, others, _, _ in ratios:
        for channel in others + bytes((own,)):
            if channel not in places:
                places.append(channel)
    logs = array("i", [0] * len(places))
    wanted = [(i, places[i], least[places[i]]) for i in range(len(places))]
    channels = len(least)
    plain = []
    means = []
    at = channels
    for own, others, low, span in ratios:
        if len(others) == 1:
            plain.append((at, places.index(own), places.index(others[0]), low, span))
        else:
            means.append((at, places.index(own), [places.index(i) for i in others], len(others), low, span))
        at += 1
    bend, bend_shift, octave = BEND, BEND_SHIFT, STEPS
    found = None
    while True:
        row = yield found
        for i in range(channels):
            offsets[i] = row[i]
        missing = min(row) < 0
        for i, channel, low in wanted:
            value = row[channel]
            value = low if value < 0 else value + low
            steps = 10 << 10
            while value >= 32768:
                value >>= 4
                steps += octave << 2
            while value >= 2048:
                value >>= 1
                steps += octave
            while value < 1024:
                value <<= 1
                steps -= octave
            value -= 1024
            logs[i] = steps + value + (value * (1024 - value) * bend >> bend_shift)
        for at, own, other, low, span in plain:
            value = logs[own] - logs[other] - low
            offsets[at] = 0 if value < 0 else span if value > span else value
        for at, own, others, count, low, span in means:
            total = count >> 1
            for i in others:
                total += logs[i]
            value = logs[own] - total // count - low
            offsets[at] = 0 if value < 0 else span if value > span else value
        if missing:
            for i in range(channels):
                if row[i] < 0:
                    for k in range(len(ratios)):
                        value = offsets[channels + k]
                        if value >= 0 and (i == ratios[k][0] or i in ratios[k][1]):
                            offsets[channels + k] = ~value
        found = push(offsets)
