"""A node with a key: what it takes, what it refuses and what it says, over power-ons and cuts."""

import hashlib
import json
from pathlib import Path
from urllib.parse import unquote

import pytest
from circuitpython_node import Node
from cut_files import CutFiles, PowerCut
from dibble.classifier import install
from dibble.storage import slots as slots_module
from dibble.storage.signatures import Signatures
from dibble.storage.slots import Slots
from dibble_tools.node.console_lines import Event
from dibble_tools.node.signatures import sign
from dibble_tools.simulator.node.firmware import firmware_folder
from node_helpers import Bench, soil_model

KEY = hashlib.sha256(b"of this test").digest()
OLD, NEW, NEWER = soil_model(400), soil_model(500), soil_model(300)
MODEL = "model.dib"
CONFIG = "config.json"
OTHERS = "{0}.sig: expected {0} as it was signed with the node's key, got another"


@pytest.fixture(scope="module")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return firmware_folder(tmp_path_factory.mktemp("firmware") / "node")


def signed_bench(firmware: Path, folder: Path) -> Bench:
    """Return a node with a key that has run a signed model and a signed configuration for a good minute."""
    bench = Bench(firmware, folder)
    bench.send("node.key", KEY)
    send_signed(bench, CONFIG, config_of(bench), 10)
    send_signed(bench, MODEL, OLD, 10)
    bench.run(4)
    assert runs(bench) == "dry below 400"
    return bench


def send_signed(bench: Bench, name: str, content: bytes, counter: int, key: bytes = KEY) -> None:
    bench.send(name + ".sig", sign(key, name, counter, content))
    bench.send(name, content)


def config_of(bench: Bench, **changes: object) -> bytes:
    return json.dumps({**bench.config, **changes}).encode()


def events(bench: Bench, minutes: float = 4) -> list[str]:
    """Run on; return what the node tells at this power-on."""
    before = len(bench.lines())
    bench.run(minutes)
    return [line.text for line in bench.lines()[before:] if isinstance(line, Event) and line.kind == "boot"]


def runs(bench: Bench) -> str:
    texts = [line.text for line in bench.lines() if isinstance(line, Event) and line.kind == "model"]
    return texts[-1].partition(" CRC ")[0]


def test_a_newer_signed_model_is_taken_and_an_older_one_isnt(firmware, tmp_path):
    bench = signed_bench(firmware, tmp_path)
    send_signed(bench, MODEL, NEW, 11)
    assert events(bench) == ["model model.dib: generation 2"]
    send_signed(bench, MODEL, OLD, 10)
    assert events(bench) == [
        "model model.dib isn't used: model.dib.sig: expected a counter of at least 11, got 10: an older file"
    ]
    assert runs(bench) == "dry below 500"


@pytest.mark.parametrize(
    ("signature", "reason"),
    [
        (b"", "expected 41 bytes, got 0"),
        (sign(KEY, MODEL, 11, NEW)[:-1], "expected 41 bytes, got 40"),
        (sign(bytes(32), MODEL, 11, NEW), "expected model.dib as it was signed with the node's key, got another"),
        (sign(KEY, MODEL, 11, NEWER), "expected model.dib as it was signed with the node's key, got another"),
        (sign(KEY, "gate.dib", 11, NEW), "expected a signature of model.dib, got another's"),
    ],
)
def test_a_model_that_isnt_signed_is_refused_by_name(firmware, tmp_path, signature, reason):
    bench = signed_bench(firmware, tmp_path)
    bench.send(MODEL + ".sig", signature)
    bench.send(MODEL, NEW)
    assert events(bench) == [f"model model.dib isn't used: model.dib.sig: {reason}"]
    assert runs(bench) == "dry below 400"


def test_a_model_is_refused_before_anything_in_it_is_read(firmware, tmp_path):
    bench = signed_bench(firmware, tmp_path)
    bench.send(MODEL, b"no model at all")
    assert events(bench) == [
        f"model model.dib isn't used: {OTHERS.format(MODEL)}",
    ]


def test_the_last_good_configuration_stands_in_for_one_that_isnt_signed(firmware, tmp_path):
    bench = signed_bench(firmware, tmp_path)
    other = config_of(bench, node="other")
    bench.send(CONFIG, other)
    told = events(bench)
    assert told == [
        f"config.json isn't used: {OTHERS.format(CONFIG)}",
        "the last good configuration is used",
    ]
    assert bench.rows()[-1].node == "node"
    send_signed(bench, CONFIG, other, 11)
    assert events(bench) == []
    assert bench.rows()[-1].node == "other"


def test_an_older_configuration_is_refused(firmware, tmp_path):
    bench = signed_bench(firmware, tmp_path)
    first = config_of(bench)
    for counter in (11, 12):
        send_signed(bench, CONFIG, config_of(bench, node=f"of-{counter}"), counter)
        assert events(bench) == []
    send_signed(bench, CONFIG, first, 10)
    assert events(bench) == [
        "config.json isn't used: config.json.sig: expected a counter of at least 12, got 10: an older file",
        "the last good configuration is used",
    ]
    assert bench.rows()[-1].node == "of-12"


def test_the_key_is_in_nothing_that_the_node_says_or_writes(firmware, tmp_path):
    bench = signed_bench(firmware, tmp_path)
    bench.send(MODEL, NEW)
    events(bench)
    said = bench.vm.console
    assert KEY not in said and KEY.hex().encode() not in said and repr(KEY).encode()[2:-1] not in said


def test_without_a_key_nothing_is_signed(firmware, tmp_path):
    bench = Bench(firmware, tmp_path, OLD)
    assert events(bench) == ["model model.dib: generation 1"]
    bench.send(MODEL, NEW)
    assert events(bench) == ["model model.dib: generation 2"]
    assert runs(bench) == "dry below 500"


class Sensors:
    """What a model may ask of the node's sensors."""

    names = ("soil_moisture_permille", "air_temperature_centi_c")
    units = ("permille", "centi_c")
    values = (0, 0)


def install_signed(content: bytes, counter: int) -> str:
    """Install a signed model into the slots, as the node does at its power-on; return what it tells."""
    Path(MODEL).write_bytes(content)
    Path(MODEL + ".sig").write_bytes(sign(KEY, MODEL, counter, content))
    signatures = Signatures(Slots("signed"), lambda: None)
    return install(MODEL, Slots("model"), 0, Sensors, 60_000, signatures)


@pytest.mark.parametrize("atomic", [True, False], ids=["littlefs", "fat"])
def test_whatever_a_cut_leaves_the_new_one_follows_and_the_old_one_never_again(atomic, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("node.key").write_bytes(KEY)
    disk = CutFiles(atomic)
    disk.serve(monkeypatch, slots_module)
    assert install_signed(OLD, 10) == "model model.dib: generation 1"
    before = dict(disk.files)
    for cuts in range(0, 2000, 1 if atomic else 29):
        disk.files = dict(before)
        disk.left = cuts
        try:
            install_signed(NEW, 11)
            cut = False
        except PowerCut:
            cut = True
        disk.left = None
        held = Slots("model").newest()
        assert held in (OLD, NEW), cuts
        if held == NEW:
            assert "got 10: an older file" in install_signed(OLD, 10), cuts
        install_signed(NEW, 11)
        assert Slots("model").newest() == NEW, cuts
        assert "got 10: an older file" in install_signed(OLD, 10), cuts
        if not cut:
            break
    assert not cut and cuts >= 4


@pytest.mark.parametrize("others", [False, True])
def test_a_circuitpython_node_takes_signed_files_only(tmp_path, others):
    def with_key(folder: Path) -> None:
        (folder / "node.key").write_bytes(KEY)
        for name, key in ((MODEL, bytes(32) if others else KEY), (CONFIG, KEY)):
            (folder / f"{name}.sig").write_bytes(sign(key, name, 10, (folder / name).read_bytes()))

    node = Node(tmp_path / "drive", finish=with_key)
    node.live(150)
    told = [unquote(line) for line in node.lines("!boot") if "isn't" in unquote(line)]
    assert node.decisions() and len(told) == others
    assert not others or f"model model.dib isn't used: {OTHERS.format(MODEL)}" in told[0]
