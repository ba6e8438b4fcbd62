"""Inside the VM: CircuitPython's `ssl` over this VM's own mbedTLS: one certificate, in PEM, and a blocking handshake.

shared-bindings/ssl/SSLContext.c and shared-module/ssl.
"""

import errno

import tls
from binascii import a2b_base64
from socketpool import would_block
from time import sleep

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_TRIES = 20000  # of a ms of the field's time each


class SSLContext:
    _der = None

    def load_verify_locations(self, cafile=None, capath=None, cadata=None):
        if cafile is not None or capath is not None:
            raise NotImplementedError
        text = cadata.decode() if isinstance(cadata, bytes) and b"\0" not in cadata else cadata
        if not isinstance(text, str):
            text = ""  # up to the first zero
        begin, end = text.find(_BEGIN), text.find(_END)
        self._der = a2b_base64(text[begin + len(_BEGIN) : end]) if 0 <= begin < end else b""

    def wrap_socket(self, sock, *, server_side=False, server_hostname=None):
        if sock.type != 1:
            raise RuntimeError("Invalid socket for TLS")
        if not self._der:
            raise ValueError("invalid cert")
        return SSLSocket(self._der, sock, server_hostname)


def create_default_context():
    return SSLContext()


class SSLSocket:
    def __init__(self, der, sock, name):
        self._der, self._sock, self._name = der, sock, name
        self._wrapped = None

    def settimeout(self, value):
        self._sock.settimeout(value)

    def setblocking(self, flag):
        self._sock.setblocking(flag)

    def connect(self, address):
        self._sock.connect(address)
        context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
        context.verify_mode = tls.CERT_REQUIRED
        context.load_verify_locations(self._der)
        self._wrapped = context.wrap_socket(self._sock.raw, server_hostname=self._name, do_handshake_on_connect=False)
        for _ in range(_TRIES):
            try:
                if self._wrapped.write(b"") is not None:
                    return
            except ValueError as error:  # of a certificate
                raise OSError(-9984, str(error))
            self._sock.look()
            sleep(0.001)
        raise OSError(errno.ETIMEDOUT)

    def send(self, data):
        return would_block(self._wrapped.write(data))

    def recv_into(self, buffer, bufsize=0):
        self._sock.look()
        return would_block(self._wrapped.readinto(buffer, bufsize or len(buffer)))

    def close(self):
        self._sock.close()
