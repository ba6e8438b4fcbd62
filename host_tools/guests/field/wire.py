"""Inside the VM: the pipe to the simulated field. A request goes out, an answer comes back.

Request: byte operation, 16-bit a, 32-bit b, 16-bit size, that many bytes. Answer: byte status,
32-bit ticks in ms, 32-bit size, that many bytes. Little-endian. host_tools/field/wire.py is the
other end.
"""

from os import getenv

from ustruct import pack_into, unpack_from

_requests = open(getenv("DIBBLE_REQUESTS"), "wb")
_answers = open(getenv("DIBBLE_ANSWERS"), "rb")
_out = bytearray(9)
_in = bytearray(9)
ticks = 0  # ms, as of the last answer
data = b""  # of the last answer that had some


def _fill(buffer):
    """Fill a buffer; a pipe may give it in pieces."""
    at = _answers.readinto(buffer)
    while at and at < len(buffer):
        piece = memoryview(buffer)[at:]
        at = at + (_answers.readinto(piece) or -at)
    if not at:
        raise SystemExit  # the field has gone


def ask(operation, a=0, b=0, send=b"", into=None):
    """Return the answer's status; its bytes go to `into` if that is as long as they are, and are `data` in any case.

    A board's hardware needs no heap; where this one finds none in the middle of an answer, the node is reset.
    """
    try:
        return _exchange(operation, a, b, send, into)
    except MemoryError:
        _requests.write(_RESET)
        raise SystemExit


def _exchange(operation, a, b, send, into):
    global ticks, data
    pack_into("<BHIH", _out, 0, operation, a, b & 0xFFFFFFFF, len(send))
    _requests.write(_out)
    if send:
        _requests.write(send)
    _fill(_in)
    status, ticks, size = unpack_from("<BII", _in)
    if size:
        data = into if into is not None and len(into) == size else bytearray(size)
        _fill(data)
    return status


def number(operation, a=0, b=0):
    """Return the answer as a signed 32-bit number."""
    ask(operation, a, b, b"", _number)
    return unpack_from("<i", _number)[0]


_number = bytearray(4)
_RESET = b"X" + bytes(8)
