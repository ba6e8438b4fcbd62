"""Decisions as lines of text that any terminal shows, each with a checksum.

    #dibble,2,NODE,seq,time_s,class,held,margin,flags,action,faults,battery_mv,NAME:UNIT,...*CCCCCCCC
    812,838282080,irrigate,ok,40,0,1,0,3712,412,,2130*CCCCCCCC
    !KIND,time_s,text*CCCCCCCC

The first line names the fields of those after it, and comes again every so many of them. A missing
reading, an unknown voltage and no class are empty. A byte of a name or text that isn't a visible ASCII
character, and each of , * % # ! is %XX.

CCCCCCCC is the CRC-32 of what is before the *; that of a decision's line goes on from that of the line
that names its fields, so it can't be read under other names. One damaged line in 2**32 passes; one
with a single flipped bit never does.
"""

from dibble.inference.crc32 import crc32
from dibble.inference.fixed_point import MISSING


def _field(value):
    """Return a number or text as text that can't end a field or a line."""
    if not isinstance(value, str):
        return "" if value in (None, MISSING) else str(value)
    field = bytearray()  # a list of single characters takes eight times as much, in one piece
    for byte in value.encode():
        if not 32 < byte < 127 or byte in b",*%#!":
            field.extend(("%%%02X" % byte).encode())
        else:
            field.append(byte)
    return str(field, "utf-8")


class SerialLines:
    """Writes lines, one short string each.

    Args:
        write: write(text) puts it on the console.
        node: the node's name.
        classes: names of the model's classes.
        channels: a tuple (name, unit) each.
        every: decisions between two lines that name the fields.
    """

    def __init__(self, write, node, classes, channels, every=50):
        self._write = write
        self._node = node
        self._channels = channels
        self._name = dict(enumerate(classes)).get  # None for NO_CLASS
        self._every = every
        self._left = 0

    def decision(self, report):
        """Write a line for a report; before the first and every so often, one that names the fields."""
        if not self._left:
            self._left = self._every
            head = [self._node] + "seq,time_s,class,held,margin,flags,action,faults,battery_mv".split(",")
            self._crc = self.line("#dibble,2,", head + ["%s:%s" % channel for channel in self._channels])
        self._left -= 1
        decision = report.decision
        fields = [
            report.sequence,
            report.time_s,
            self._name(decision.class_index),
            self._name(decision.held_index),
            decision.margin,
            decision.flags,
            report.action,
            report.faults,
            report.battery_mv,
        ]
        fields.extend(report.readings)
        self.line("", fields, self._crc)

    def event(self, kind, time_s, text):
        """Write a line on what happened: kind "boot", "fault", ...; a text's end beyond 160 characters is cut."""
        self.line("!", (kind, time_s, text[:160]))

    def line(self, start, values, crc=(0, 0)):
        """Write fields as a line; return its CRC-32, which goes on from `crc`."""
        text = start + ",".join([_field(value) for value in values])
        crc = crc32(text.encode(), len(text), 0, crc)
        self._write("%s*%04X%04X\n" % (text, crc[0], crc[1]))
        return crc
