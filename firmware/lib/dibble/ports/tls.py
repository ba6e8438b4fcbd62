"""TLS over a socket of MicroPython, with the certificate of one authority."""

import errno
import gc
import ssl

# What a handshake takes of the heap, in pieces of up to 16.7 KB: 28 to 41 KB, counted with MicroPython 1.28's mbedTLS,
# and some more where the heap is in pieces. An ESP32's comes from what Python's heap leaves.
HEAP_BYTES = 40000


def wrapped(sock, name, authority):
    """Return the socket with TLS on it; the handshake comes with the first write.

    Args:
        name: of the server, as its certificate has it.
        authority: its certificate, DER.
    Raises:
        OSError: the board has no room for it, or this isn't a certificate.
    """
    gc.collect()
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=authority)
        return context.wrap_socket(sock, server_hostname=name, do_handshake_on_connect=False)
    except (MemoryError, OSError) as error:
        if isinstance(error, OSError) and error.args[0] != errno.ENOMEM:
            raise
        raise OSError(
            "MQTT over TLS: expected some %d bytes of heap, this board has %d free: leave mqtt.ca empty, or take a "
            "larger board" % (HEAP_BYTES, gc.mem_free())
        )
    except ValueError as error:
        raise OSError("mqtt.ca: expected the certificate of an authority in DER, got: %s" % error)
