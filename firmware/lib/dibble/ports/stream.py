"""What report/mqtt.py sends and receives with, over any runtime's socket."""

import errno


class Stream:
    """A connected socket that never blocks.

    Args:
        sock: the runtime's, non-blocking.
        read: its read(buffer, size) -> bytes.
        send: its send(data) -> bytes.
    """

    def __init__(self, sock, read, send):
        self._socket = sock
        self._read = read
        self._send = send

    def send(self, data):
        """Return how many bytes were taken; None: none yet."""
        try:
            return self._send(data)
        except OSError as error:
            if error.errno != errno.EAGAIN:
                raise
            return None
        except ValueError as error:  # MicroPython's of a certificate
            raise OSError("TLS: " + str(error).strip())

    def receive_into(self, buffer, size):
        """Return how many bytes came, at most `size`; 0: closed by the other side; None: none yet."""
        try:
            return self._read(buffer, size)
        except OSError as error:
            if error.errno != errno.EAGAIN:
                raise
            return None
        except ValueError as error:
            raise OSError("TLS: " + str(error).strip())

    def close(self):
        self._socket.close()
