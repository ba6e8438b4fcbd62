"""Where a fleet's broker is, and a connection to it."""

import os
import ssl
from dataclasses import dataclass
from pathlib import Path

import paho.mqtt.client as paho

from dibble_tools.common.errors import InputError

PASSWORD = "MQTT_PASSWORD"  # of the environment: arguments are seen by others on the machine
KEEP_ALIVE_S = 60
PLAIN_PORT, TLS_PORT = 1883, 8883


@dataclass(frozen=True)
class Broker:
    """An MQTT broker.

    Attributes:
        user: "": none is asked for; the password is in the environment variable MQTT_PASSWORD.
        ca: certificates that its own is held against; "system": the computer's; "": no TLS.
    """

    host: str
    port: int
    user: str = ""
    ca: str = ""

    @classmethod
    def of(cls, text: str, user: str, ca: str) -> "Broker":
        """Return the broker at "HOST" or "HOST:PORT".

        Raises:
            InputError: that isn't a place, or there are no certificates.
        """
        host, colon, port = text.rpartition(":")
        host, number = (host, port) if colon else (text, str(TLS_PORT if ca else PLAIN_PORT))
        host = host.removeprefix("[").removesuffix("]")
        if not host or not number.isdecimal() or not 0 < int(number) < 65536:
            raise InputError(f"--broker: expected HOST or HOST:PORT, got {text!r}")
        if ca not in ("", "system") and not Path(ca).is_file():
            raise InputError(f"--ca: expected a file of certificates or 'system', got {ca!r}")
        return cls(host, int(number), user, ca)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def client(self, name: str, *, clean: bool) -> paho.Client:
        """Return a client that isn't connected yet.

        Args:
            name: its id: the broker ends an older connection of the same.
            clean: whether the broker forgets it when it parts; False: it keeps what comes meanwhile.
        """
        client = paho.Client(paho.CallbackAPIVersion.VERSION2, name, clean_session=clean)
        if self.user:
            client.username_pw_set(self.user, os.environ.get(PASSWORD))
        if self.ca:
            client.tls_set_context(ssl.create_default_context(cafile=None if self.ca == "system" else self.ca))
        client.reconnect_delay_set(1, 30)
        return client

    def connect(self, client: paho.Client) -> None:
        """Connect for the first time; later it comes back by itself.

        Raises:
            InputError: nobody answers there.
        """
        try:
            client.connect(self.host, self.port, KEEP_ALIVE_S)
        except (OSError, ValueError) as error:
            raise InputError(f"--broker: expected an MQTT broker at {self}, got: {error}") from None
