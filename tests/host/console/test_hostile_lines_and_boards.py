"""What a board may send crashes no command, makes no wrong value, and commands no terminal and no spreadsheet."""

import json
import os
import random
import threading
import zlib
from pathlib import Path

import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.common.safe_text import cell, is_fit_name, plain
from dibble_tools.log.fetch import fetch
from dibble_tools.log.names import Known, Names, of_config, of_model, of_slot
from hostile_board import HostileBoard
from hostile_play import play
from live_bench import Line
from log_bytes import payloads, segment


def test_three_thousand_hostile_lines(tmp_path: Path) -> None:
    outcome = play(3000, 7, tmp_path)
    assert outcome.problems == []
    assert outcome.wrong == 0
    assert outcome.taken > 100
    assert outcome.rejected["checksum, or another header's"] > 100


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=1+1", "'=1+1"),
        (" +1", "' +1"),
        ("@x", "'@x"),
        ("-2", "'-2"),
        ("\t=1", "\N{REPLACEMENT CHARACTER}=1"),
        ("\x1b[2J", "\N{REPLACEMENT CHARACTER}[2J"),
        ("a\r\nb", "a\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}b"),
        ("\u202eabc", "\N{REPLACEMENT CHARACTER}abc"),
        ("irrigate", "irrigate"),
        ("Gewächshaus 2", "Gewächshaus 2"),
    ],
)
def test_a_cell_is_never_a_formula_nor_a_command(text: str, shown: str) -> None:
    assert cell(text) == shown


def test_text_is_cut_and_names_are_judged() -> None:
    assert plain("x" * 1000) == "x" * 160 + "…"
    good = ("soil_moisture_permille", "bed 1", "Gewächshaus-2", "t (air)", "1", "_other_")
    bad = ("", " a", "a ", "=a", "../a", "a/\\b", "a,b", 'a"', "a\nb", "\x1b[0m", "a" * 61, "_", "a;b", "a\u202eb")
    assert all(map(is_fit_name, good))
    assert not any(map(is_fit_name, bad))


def test_names_of_a_hostile_model_or_config_are_not_taken() -> None:
    assert of_model(b"") is None
    assert of_model(b"DBL" + os.urandom(500)) is None
    assert of_slot(b"DSL1" + bytes(40)) is None
    assert of_config(b'{"sensors": [{"driver": "soil_adc.x", "pin": 1, "probe_curve": [1, 2]}]}') is None
    assert of_config(b"[" * 100_000) is None
    config = {"sensors": [{"driver": "soil_adc", "pin": 26, "probe_curve": [2300, 1200], "channels": ["=cmd()"]}]}
    assert of_config(json.dumps(config).encode()) is None
    config["sensors"][0]["channels"] = ["bed"]
    assert of_config(json.dumps(config).encode()) == Names(("bed",))


def test_no_forged_model_crashes_the_host() -> None:
    blob = (Path(__file__).parents[3] / "models" / "orchard" / "model.dib").read_bytes()
    assert of_model(blob) is not None
    chance = random.Random(5)
    for _ in range(300):
        forged = bytearray(blob[:-4])
        for _ in range(chance.randint(1, 4)):
            forged[chance.randrange(6, min(200, len(forged)))] = chance.choice([0, 1, 127, 128, 255])
        found = of_model(bytes(forged) + zlib.crc32(forged).to_bytes(4, "little"))
        assert found is None or found[1].are_fit()


def test_remembered_names_that_are_damaged_are_set_aside(tmp_path: Path) -> None:
    file = tmp_path / "names.json"
    file.write_text('[{"model": "zz"}]')
    assert Known(file).by_model == {}
    assert (tmp_path / "names.json.bad").exists()


@pytest.mark.parametrize(
    ("listing", "said"),
    [
        ("../../x.seg 5 00000000", None),
        ("/etc/000001.seg 5 00000000", None),
        ("000001.seg 5 00000000\x1b[2J", "expected name, size and CRC-32"),
        ("000001.seg -5 00000000", "expected name, size and CRC-32"),
        ("000001.seg 99999999999999999999 00000000", "expected name, size and CRC-32"),
        ("[bold]x[/] 1 2", "expected name, size and CRC-32"),
        ("x 1 00000000\n" * 3000, "expected at most 2000 segments"),
    ],
)
def test_a_hostile_listing_names_no_other_file(tmp_path: Path, listing: str, said: str | None) -> None:
    with answered(tmp_path, {"log_segments": listing}) as port, pytest.raises(InputError, match=said or "got none"):
        fetch(port, tmp_path / "out", (), print)
    assert {path.name for path in (tmp_path / "out").rglob("*")} <= {"segments", "names.json"}


def test_a_segment_that_arrives_damaged_is_kept_and_said(tmp_path: Path) -> None:
    data = bytearray(segment(1, payloads(5)))
    data[-3] ^= 1
    answers = {"log_segments": f"000001.seg {len(data)} 00000000", "log/000001.seg": bytes(data)}
    with answered(tmp_path, answers) as port:
        found = fetch(port, tmp_path / "out.csv", (), print)
    assert [row.sequence for row in found.records.rows] == [1, 2, 3, 4]
    assert found.records.damage == ["000001.seg: 1 of 5 records damaged"]
    assert (tmp_path / "out.segments" / "000001.seg").read_bytes() == data
    assert "04030201_1" in (tmp_path / "out.csv").read_text().splitlines()[0]


class answered:
    """A hostile board at a line, as long as the context lasts."""

    def __init__(self, folder: Path, answers: dict[str, str | bytes]) -> None:
        self._line = Line(folder)
        self._board = HostileBoard(self._line.near, answers)

    def __enter__(self) -> str:
        self._thread = threading.Thread(target=self._board.serve, daemon=True)
        self._thread.start()
        return str(self._line.link)

    def __exit__(self, *_: object) -> None:
        self._board.stop()
        self._thread.join(10)
        self._line.unplug()
