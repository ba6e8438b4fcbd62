"""What a node with Wi-Fi needs beside its configuration: passwords, and the certificate of an authority.

They lie in the folder of config.json. The password goes to the board and nowhere else.
"""

import ast
import ssl
import tomllib
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from dibble_tools.common.errors import InputError

SECRETS = "secrets.py"
SETTINGS = "settings.toml"  # CircuitPython's, which reads no secrets.py
SSID = "WIFI_SSID"
PEM = b"-----BEGIN CERTIFICATE-----"


def network_files(
    folder: Path | None, config: dict[str, Any], on_board: Collection[str], read: Callable[[str], bytes]
) -> tuple[dict[str, bytes], list[str]]:
    """Return path -> content of these files, and notes on what is missing.

    Args:
        folder: that of the configuration; None: the board keeps its own.
        config: whole.
        on_board: paths that are there already.
        read: returns a file of the board.
    Raises:
        InputError: secrets.py isn't Python, or the certificate isn't one.
    """
    mqtt = config["mqtt"]
    if not mqtt["host"]:
        return {}, []
    files, notes = {}, []
    secrets = folder / SECRETS if folder else None
    if secrets and secrets.exists():
        content = secrets.read_bytes()
        if SECRETS not in on_board or read(SECRETS) != content:
            files[SECRETS] = content
        if not _values(secrets).get(SSID):
            notes.append(f"{secrets}: {SSID} is empty: the node won't join a Wi-Fi")
    elif SECRETS not in on_board:
        notes.append(
            f"config.mqtt.host is set, and there is no {SECRETS} beside config.json nor on the board: the node won't "
            f'join a Wi-Fi. It has lines {SSID} = "…", WIFI_PASSWORD = "…", MQTT_PASSWORD = "…"'
        )
    if mqtt["ca"] and folder:
        path = folder / mqtt["ca"]
        if path.exists():
            files[mqtt["ca"]] = _certificate(path)
        elif mqtt["ca"] not in on_board:
            raise InputError(f"config.mqtt.ca: expected the authority's certificate at {path}, found no file there")
    return files, notes


def drive_files(folder: Path | None, config: dict[str, Any], drive: Path) -> tuple[dict[str, bytes], list[str]]:
    """Return the same for a CircuitPython board's drive, whose own settings.toml stays as it is.

    Args:
        drive: where it is mounted.
    Raises:
        InputError: settings.toml isn't TOML, or the certificate isn't one.
    """
    mqtt = config["mqtt"]
    if not mqtt["host"]:
        return {}, []
    files, notes = {}, []
    ours, theirs = folder / SETTINGS if folder else None, drive / SETTINGS
    if not theirs.exists() and ours and ours.exists():
        files[SETTINGS] = ours.read_bytes()
        theirs = ours
    if not theirs.exists():
        notes.append(
            f"config.mqtt.host is set, and there is no {SETTINGS} beside config.json nor on the drive: the node won't "
            f'join a Wi-Fi. It has lines {SSID} = "…", WIFI_PASSWORD = "…", MQTT_PASSWORD = "…"'
        )
    elif not _toml(theirs).get(SSID):
        notes.append(f"{theirs}: expected a name of a Wi-Fi as {SSID}, got none: the node won't join one")
    if mqtt["ca"] and folder and (folder / mqtt["ca"]).exists():
        der = _certificate(folder / mqtt["ca"])  # CircuitPython's load_verify_locations() takes PEM only
        files[mqtt["ca"]] = ssl.DER_cert_to_PEM_cert(der).encode()
    elif mqtt["ca"] and not (drive / mqtt["ca"]).exists():
        raise InputError(f"config.mqtt.ca: expected the authority's certificate as {mqtt['ca']}, found no file there")
    return files, notes


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f'{path}: expected lines like {SSID} = "name", got no TOML: {error}') from None


def _values(path: Path) -> dict[str, Any]:
    """Return the constants that a file of Python gives names to."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        raise InputError(
            f'{path}, line {line}: expected lines like {SSID} = "name", got what isn\'t: look for a quote'
        ) from None
    return {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _certificate(path: Path) -> bytes:
    """Return a certificate in DER, which a board reads, of one in DER or PEM."""
    content = path.read_bytes()
    try:
        if PEM in content:
            return ssl.PEM_cert_to_DER_cert(content.decode("ascii")[content.index(PEM) :])
        ssl.DER_cert_to_PEM_cert(content)
        if content[:1] == b"\x30":
            return content
    except ValueError:
        pass
    raise InputError(f"{path}: expected a certificate in PEM or DER, got {len(content)} bytes that are none")
