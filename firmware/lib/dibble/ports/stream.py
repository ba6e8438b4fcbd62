"""What report/mqtt.py sends and receives with, over any runtime's socket."""

import errno


class Stream:
    """A connected socket that never blocks.

    Args:
        sock: the runtime's, non-blocking.
        read: its read(buffer, size) -> bytes.
    """

    def __init__(self, sock, read):
        self._socket = sock
        self._read = read

    def send(self, data):
        """Return how many bytes were taken; None: none yet."""
        try:
            return self._socket.send(data)
        except OSError as error:
            if error.errno != errno.EAGAIN:
                raise
            return None

    def receive_into(self, buffer, size):
        """Return how many bytes came, at most `size`; 0: closed by the other side; None: none yet."""
        try:
            return self._read(buffer, size)
        except OSError as error:
            if error.errno != errno.EAGAIN:
                raise
            return None

    def close(self):
        self._socket.close()
