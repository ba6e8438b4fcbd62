"""Keys and signatures on the host: `dibble new` and `dibble sign`."""

import hashlib
import stat
import sys
from pathlib import Path

import pytest
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from dibble_tools.node.signatures import MOST_COUNTER, accepted_of, counter_after, counter_of, read_key, sign
from typer.testing import CliRunner

KEY = hashlib.sha256(b"of this test").digest()
CONTENT = b"a model"


def hmac_by_its_definition(key: bytes, message: bytes) -> bytes:
    """Return HMAC-SHA-256 as RFC 2104 writes it: H(K ^ opad, H(K ^ ipad, message))."""
    block = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block) + message).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in block) + inner).digest()


def dibble(*arguments: object) -> str:
    result = CliRunner().invoke(app, [*map(str, arguments)])
    if isinstance(result.exception, InputError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_a_signature_is_an_hmac_over_kind_counter_and_content():
    head = b"DSG1\x02\x01\x02\x00\x00"
    assert sign(KEY, "config.json", 513, CONTENT) == head + hmac_by_its_definition(KEY, head + CONTENT)


def test_the_counter_is_told_only_of_a_right_signature():
    right = sign(KEY, "model.dib", 9, CONTENT)
    assert counter_of(right, KEY, "model.dib", CONTENT) == 9
    assert counter_of(right, KEY, "gate.dib", CONTENT) == 0
    assert counter_of(right, bytes(32), "model.dib", CONTENT) == 0
    assert counter_of(right, KEY, "model.dib", CONTENT + b"x") == 0
    for size in range(len(right)):
        assert counter_of(right[:size], KEY, "model.dib", CONTENT) == 0
    huge = right[:5] + b"\xff\xff\xff\xff" + right[9:]
    assert counter_of(huge, KEY, "model.dib", CONTENT) == 0


def test_counters_stay_in_thirty_bits_and_grow():
    with pytest.raises(InputError, match=f"--counter: expected 1 to {MOST_COUNTER}, got 0"):
        sign(KEY, "model.dib", 0, CONTENT)
    with pytest.raises(InputError, match="got 1073741824"):
        sign(KEY, "model.dib", MOST_COUNTER + 1, CONTENT)
    now = counter_after(0)
    assert 0 < now < MOST_COUNTER and counter_after(now + 1000) == now + 1001
    assert accepted_of(None) == {"model.dib": 0, "gate.dib": 0, "config.json": 0, "voice.dib": 0, "firmware": 0}
    assert accepted_of(bytes((1, 0, 0, 0, 2, 1, 0, 0, 3, 0, 0, 0))) == {
        "model.dib": 1,
        "gate.dib": 258,
        "config.json": 3,
        "voice.dib": 0,
        "firmware": 0,
    }


def test_a_new_project_has_a_key_of_its_own_that_git_ignores_and_only_its_owner_reads(tmp_path):
    keys = []
    for name in ("a", "b"):
        said = dibble("new", tmp_path / name, "--board", "pico")
        path = tmp_path / name / "node.key"
        keys.append(read_key(path))
        assert "node.key" in said and keys[-1].hex() not in said
        assert "node.key" in (tmp_path / name / ".gitignore").read_text().splitlines()
        if sys.platform != "win32":  # where its folder's owner is who reads it
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert keys[0] != keys[1] and len(keys[0]) == 32


def test_sign_writes_the_signature_beside_its_file(tmp_path):
    (tmp_path / "node.key").write_bytes(KEY)
    for name, kind in (("model.dib", "model.dib"), ("gate.dib", "gate.dib"), ("config.json", "config.json")):
        file = tmp_path / name
        file.write_bytes(CONTENT)
        said = dibble("sign", file, "--key", tmp_path / "node.key", "--counter", 7)
        assert said.replace("\n", "").endswith(f"{name}.sig: {kind}, counter 7")
        assert Path(f"{file}.sig").read_bytes() == sign(KEY, kind, 7, CONTENT)
    (tmp_path / "other.json").write_bytes(CONTENT)
    dibble("sign", tmp_path / "other.json", "--key", tmp_path / "node.key", "--as", "config.json", "--counter", 7)
    assert (tmp_path / "other.json.sig").read_bytes() == sign(KEY, "config.json", 7, CONTENT)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["other.json"], "say it by --as"),
        (
            ["other.json", "--as", "main.py"],
            "--as: expected model.dib, gate.dib, config.json, voice.dib, firmware, got 'main.py'",
        ),
        (["gone.dib"], "expected a model or a configuration, got"),
        (["model.dib", "--key", "gone.key"], "gone.key: expected the node's key, as `dibble new` makes one, got"),
        (["model.dib", "--key", "other.json"], "expected a key of 32 bytes, as `dibble new` makes one, got 7"),
        (["model.dib", "--counter", "-1"], "--counter: expected 1 to"),
    ],
)
def test_sign_refuses_what_it_cant_sign(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    Path("node.key").write_bytes(KEY)
    for name in ("model.dib", "other.json"):
        Path(name).write_bytes(CONTENT)
    with pytest.raises(InputError) as caught:
        dibble("sign", *arguments)
    assert message in str(caught.value)
    assert not list(tmp_path.glob("*.sig"))
