"""TLS over a socket of MicroPython, with the certificate of one authority."""

import gc
import ssl

HEAP_BYTES = 45000  # what a handshake takes, where the runtime takes it from Python's heap


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
    except MemoryError:
        raise OSError(
            "MQTT over TLS: expected some %d bytes of heap, this board has %d free: leave mqtt.ca empty, or take a "
            "larger board" % (HEAP_BYTES, gc.mem_free())
        )
    except ValueError as error:
        raise OSError("mqtt.ca: expected the certificate of an authority in DER, got: %s" % error)
