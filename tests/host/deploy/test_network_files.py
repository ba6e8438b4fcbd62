"""What a node with Wi-Fi needs comes with a deploy, or the deploy says what is missing."""

import json
import ssl
import subprocess
from pathlib import Path

import pytest
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from dibble_tools.deploy.doctor import look_at_network
from dibble_tools.deploy.network_files import drive_files, network_files
from typer.testing import CliRunner

GOOD = b'WIFI_SSID = "farm"\nWIFI_PASSWORD = "tractor1"\n'


def config(host: str = "10.0.0.2", ca: str = "") -> dict:
    return {"mqtt": {"host": host, "ca": ca}}


def nothing(path: str) -> bytes:
    raise AssertionError(path)


def test_secrets_come_once_and_only_with_a_broker(tmp_path: Path) -> None:
    (tmp_path / "secrets.py").write_bytes(GOOD)
    assert network_files(tmp_path, config(), (), nothing) == ({"secrets.py": GOOD}, [])
    assert network_files(tmp_path, config(), ("secrets.py",), lambda path: b"old") == ({"secrets.py": GOOD}, [])
    assert network_files(tmp_path, config(), ("secrets.py",), lambda path: GOOD) == ({}, [])
    assert network_files(tmp_path, config(host=""), (), nothing) == ({}, [])


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    files, notes = network_files(tmp_path, config(), (), nothing)
    assert files == {} and "no secrets.py beside config.json nor on the board" in notes[0]
    assert network_files(tmp_path, config(), ("secrets.py",), nothing) == ({}, [])
    (tmp_path / "secrets.py").write_text('WIFI_SSID = ""\n')
    assert "WIFI_SSID is empty" in network_files(tmp_path, config(), (), nothing)[1][0]


@pytest.mark.parametrize("text", ['WIFI_SSID = "farm\n', "WIFI_SSID: farm =\n", "WIFI_SSID = \0\n"])
def test_secrets_that_no_board_could_import_stay_here(tmp_path: Path, text: str) -> None:
    (tmp_path / "secrets.py").write_text(text)
    with pytest.raises(InputError, match=r"secrets\.py, line 1: expected lines like WIFI_SSID"):
        network_files(tmp_path, config(), (), nothing)


def test_certificate_comes_as_der(tmp_path: Path) -> None:
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key -subj /CN=ca -out"
    subprocess.run([*command.split(), "ca.pem"], cwd=tmp_path, check=True, capture_output=True, timeout=60)
    (tmp_path / "secrets.py").write_bytes(GOOD)
    der = network_files(tmp_path, config(ca="ca.pem"), (), nothing)[0]["ca.pem"]
    (tmp_path / "ca.der").write_bytes(der)
    assert network_files(tmp_path, config(ca="ca.der"), (), nothing)[0]["ca.der"] == der
    assert der[:1] == b"\x30"
    pem = drive_files(tmp_path, config(ca="ca.der"), tmp_path)[0]["ca.der"]  # which is all that CircuitPython takes
    assert ssl.PEM_cert_to_DER_cert(pem.decode()) == der
    (tmp_path / "ca.der").write_bytes(b"<html>")
    with pytest.raises(InputError, match="expected a certificate in PEM or DER, got 6 bytes"):
        network_files(tmp_path, config(ca="ca.der"), (), nothing)
    with pytest.raises(InputError, match=r"expected the authority's certificate at .*none\.der, found no file"):
        network_files(tmp_path, config(ca="none.der"), (), nothing)


class Said:
    """A session with a board whose doctor says this."""

    def __init__(self, wifi: str, tls: str = "yes") -> None:
        self._said = f"wifi {wifi}\ntls {tls}\n"

    def run(self, *_: object, **__: object) -> str:
        return self._said


def test_deploy_tells_of_a_firmware_without_wifi_or_tls() -> None:
    told = look_at_network(Said("no"), config())
    assert "config.mqtt.host is set, and this board's firmware has no Wi-Fi" in told[0] and len(told) == 1
    assert look_at_network(Said("yes"), config()) == look_at_network(Said("no"), config(host="")) == []
    assert look_at_network(Said("yes", "no"), config()) == []
    assert "has no TLS" in look_at_network(Said("yes", "no"), config(ca="ca.der"))[0]


def test_a_drive_gets_settings_once_and_keeps_its_own(tmp_path: Path) -> None:
    drive = tmp_path / "CIRCUITPY"
    drive.mkdir()
    files, notes = drive_files(tmp_path, config(), drive)
    assert files == {} and "no settings.toml beside config.json nor on the drive" in notes[0]
    (tmp_path / "settings.toml").write_bytes(GOOD)
    assert drive_files(tmp_path, config(), drive) == ({"settings.toml": GOOD}, [])
    assert drive_files(tmp_path, config(host=""), drive) == ({}, [])
    (drive / "settings.toml").write_text('CIRCUITPY_WEB_API_PASSWORD = "own"\n')
    files, notes = drive_files(tmp_path, config(), drive)
    assert files == {} and "expected a name of a Wi-Fi as WIFI_SSID, got none" in notes[0]
    (drive / "settings.toml").write_text('WIFI_SSID = "farm\n')
    with pytest.raises(InputError, match=r"settings\.toml: expected lines like WIFI_SSID"):
        drive_files(tmp_path, config(), drive)


def made(folder: Path, *options: str) -> tuple[dict, str]:
    """Run `dibble new`; return the configuration and what was said."""
    done = CliRunner().invoke(app, ["new", str(folder), *options])
    assert done.exit_code == 0, done.output
    return json.loads((folder / "config.json").read_text()), done.output


def test_new_project_for_a_board_with_wifi_has_places_for_broker_and_passwords(tmp_path: Path) -> None:
    new, said = made(tmp_path / "a", "--board", "pico_w")
    assert new["mqtt"]["host"] == "" and "secrets.py" in said
    assert compile((tmp_path / "a" / "secrets.py").read_text(), "secrets.py", "exec")
    new, said = made(tmp_path / "b", "--board", "pico_w", "--runtime", "circuitpython")
    assert (tmp_path / "b" / "settings.toml").exists() and not (tmp_path / "b" / "secrets.py").exists()
    new, said = made(tmp_path / "c", "--board", "pico")
    assert "mqtt" not in new and not (tmp_path / "c" / "secrets.py").exists()


def test_what_a_watchdog_costs_is_said_and_may_be_spared(tmp_path: Path) -> None:
    new, said = made(tmp_path / "a", "--board", "pico")
    assert new["watchdog_ms"] == 8000 and "some 5 days on 2,500 mAh" in said.replace("\n", " ")
    new, said = made(tmp_path / "b", "--board", "pico", "--no-watchdog")
    assert new["watchdog_ms"] == 0 and "days" not in said
    new, said = made(tmp_path / "c", "--board", "esp32_devkit")
    assert new["watchdog_ms"] == 8000 and "days" not in said
