"""Inside the VM: the pipe to the simulated field. A request goes out, an answer comes back.

Request: byte operation, 16-bit a, 32-bit b, 16-bit size, that many bytes. Answer: byte status,
32-bit ticks in ms, 32-bit size, that many bytes. Little-endian. host_tools/dibble_tools/simulator/node/wire.py is the
other end. An exchange takes nothing from the heap: a file system may ask while the heap is being collected.
"""

from os import getenv

from ustruct import pack_into, unpack_from

_requests = open(getenv("DIBBLE_REQUESTS"), "wb")
_answers = open(getenv("DIBBLE_ANSWERS"), "rb")
_out = bytearray(9)
_in = bytearray(9)
_byte = bytearray(1)
INTERRUPTED = 255  # status of a sleep that a Ctrl-C ended: on the virtual board
FILLED = 254  # of a sleep in which what a stream was asked for came
ticks = 0  # ms, as of the last answer
data = bytearray(256)  # of the last answer for which there was no other buffer
size = 0  # bytes of the last answer


def ask(operation, a=0, b=0, send=b"", into=data):
    """Return the answer's status; its bytes go to `into`, which is as long as they are or longer."""
    global ticks, size
    pack_into("<BHIH", _out, 0, operation, a, b & 0xFFFFFFFF, len(send))
    _requests.write(_out)
    if send:
        _requests.write(send)
    _fill(_in, len(_in))
    ticks = _in[1] | _in[2] << 8 | _in[3] << 16 | _in[4] << 24
    size = _in[5] | _in[6] << 8 | _in[7] << 16 | _in[8] << 24
    if size:
        _fill(into, size)
    return _in[0]


def _fill(buffer, length):
    """Read so many bytes; a pipe may give them in pieces."""
    at = _answers.readinto(buffer, length)
    while at < length:
        if not _answers.readinto(_byte):
            raise SystemExit  # the field has gone
        buffer[at] = _byte[0]
        at += 1


def number(operation, a=0, b=0):
    """Return the answer as a signed 32-bit number."""
    ask(operation, a, b, b"", _number)
    return unpack_from("<i", _number)[0]


_number = bytearray(4)
